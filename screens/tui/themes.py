"""Colours: the console's eight, and what the full face can be set in."""

from __future__ import annotations

from collections.abc import Mapping

from textual.color import Color
from textual.theme import Theme

# Eight colours, and none that could be the same as the background: blue on black is not readable on a Linux console.
TERMINAL = Theme(
    name="terminal",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_cyan",
    accent="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border": "ansi_default",
        "border-blurred": "ansi_default",
        "block-cursor-background": "ansi_default",
        "block-cursor-blurred-background": "ansi_default",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_cyan",
        "screen-selection-foreground": "ansi_black",
        "scrollbar": "ansi_white",
        "scrollbar-hover": "ansi_white",
        "scrollbar-active": "ansi_white",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
        "text-muted": "ansi_default",
        "text-disabled": "ansi_default",
        "foreground-muted": "ansi_default",
        "footer-key-foreground": "ansi_cyan",
        "link-color": "ansi_cyan",
    },
)
HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    accent="#ffff00",
    warning="#ffff00",
    error="#ff8080",
    success="#80ff80",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    boost="#000000",
    variables={"border": "#ffffff", "scrollbar": "#ffffff", "scrollbar-background": "#000000"},
)
# The full face's own: calm grounds, one accent, and green, yellow and red for nothing but their meaning.
DARK = Theme(
    name="night",
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#bb9af7",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#c0caf5",
    background="#16161e",
    surface="#1a1b26",
    panel="#24283b",
    dark=True,
    variables={
        "border": "#3b4261",
        "border-blurred": "#3b4261",
        "text-muted": "#8089b3",
        "input-selection-background": "#7aa2f7 40%",
        "scrollbar": "#3b4261",
        "scrollbar-hover": "#7aa2f7",
        "scrollbar-active": "#7aa2f7",
        "scrollbar-background": "#1a1b26",
    },
)
LIGHT = Theme(
    name="day",
    primary="#2e5fd0",
    secondary="#0f6f8f",
    accent="#7b3fb8",
    warning="#8a5a00",
    error="#b3203c",
    success="#3c6e12",
    foreground="#2b3050",
    background="#eceef5",
    surface="#f7f8fc",
    panel="#dde1ee",
    dark=False,
    variables={
        "border": "#aab2cc",
        "border-blurred": "#aab2cc",
        "text-muted": "#5b6384",
        "input-selection-background": "#2e5fd0 30%",
        "scrollbar": "#aab2cc",
        "scrollbar-hover": "#2e5fd0",
        "scrollbar-active": "#2e5fd0",
        "scrollbar-background": "#f7f8fc",
    },
)
OWN = (TERMINAL, HIGH_CONTRAST, DARK, LIGHT)


def grounds(variables: Mapping[str, str]) -> dict[str, str]:
    """The grounds of added lines, removed lines and the row under the cursor: the surface with a little of a colour in it."""
    surface = Color.parse(variables["surface"])
    mixed = {"added-ground": ("success", 0.12), "removed-ground": ("error", 0.12), "cursor-ground": ("primary", 0.3)}
    if surface.ansi is not None:  # the terminal's own colours cannot be mixed
        return dict.fromkeys(mixed, variables["surface"])
    return {name: surface.blend(Color.parse(variables[colour]), part).hex for name, (colour, part) in mixed.items()}
