"""An event of a journal as a line for people: said once, and laid out for a terminal or for the log of a page."""

from __future__ import annotations

from wizard.model.step_text import clock
from wizard.runs.records import Event


def sentence(event: Event) -> str:
    """An event as a line for people; empty for those that say nothing to them."""
    number = f"{event['n']:3}. " if "n" in event else ""
    words = _words(event)
    match event["event"]:
        case "step" | "rollback_held":
            return f"{number}{words}"
        case "output" | "note" | "skipped":
            return f"       {words}"
        case "failed":
            return f"     ! {words}"
        case "rollback_failed":
            return f"     ! {number}{words}"
        case _:
            return words


def log_line(event: Event) -> str:
    """The same below the list of the steps, which says itself that the run began, waits and ended."""
    words = _words(event)
    match event["event"]:
        case "step" | "rollback_held":
            return f"{event.get('n', ''):>3}. {words}"
        case "output" | "note" | "skipped":
            return f"     {words}"
        case "failed" | "rollback_failed":
            return f"!    step {event.get('n', '')} {words}"
        case "rollback":
            return words
        case _:
            return ""


def _words(event: Event) -> str:
    match event["event"]:
        case "begin":
            return f"Run {event['run']}: {event['steps']} steps"
        case "step":
            return str(event.get("title", ""))
        case "output":
            return str(event.get("text", ""))
        case "note":
            return f"note: {event.get('text', '')}"
        case "skipped":
            return f"not done here: {event.get('why', '')}"
        case "failed":
            return f"failed: {event.get('why', '')}"
        case "waiting":
            return f"Waiting for `compute-wizard confirm` until {clock(event['until'])}: else this run is taken back."
        case "confirmed":
            return "Confirmed."
        case "rollback":
            return "Taking back what was done:"
        case "rollback_held":
            return "taken back"
        case "rollback_failed":
            return f"could not be taken back: {event.get('why', '')}"
        case "end":
            return _ending(event)
        case _:
            return ""


def _ending(event: Event) -> str:
    result = event["result"]
    words = {
        "done": "Done.",
        "failed": "Failed, and not taken back. `compute-wizard history`, `resume` and `undo` go on from here.",
        "stopped": "Stopped between two steps, as asked. `compute-wizard resume` goes on, `undo` takes it back.",
        "rolled_back": f"{_capital(event.get('why') or 'failed')}; what had been done was taken back.",
        "refused": f"Refused: {event.get('why', '')}",
    }
    if result == "done" and event.get("why"):
        return f"Done; {event['why']}."
    return words.get(result, str(result))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
