"""What `COMMAND --help` says below the options: examples that work as they stand, and the exit codes of that command."""

from __future__ import annotations

ALWAYS = "1 error, 64 wrong usage"


def _epilog(codes: str, *examples: str) -> str:
    shown = "".join(f"  {line}\n" for line in examples)
    return f"examples:\n{shown}\nexit codes: {codes}; {ALWAYS}\n"


EXAMPLES = {
    "demo": _epilog("0 done", "compute-wizard demo", "compute-wizard demo --node origin --ui plain"),
    "inspect": _epilog(
        "0 done",
        "compute-wizard inspect",
        "compute-wizard inspect --json | jq '.pci.functions[].address'",
        "compute-wizard inspect --nova --answers answers.toml",
        "compute-wizard --root node.tar inspect",
    ),
    "check": _epilog(
        "0 nothing but advice, 2 warnings, 3 a finding blocks",
        "compute-wizard check",
        "compute-wizard check --answers answers.toml",
        "compute-wizard check -q && echo nothing in the way",
    ),
    "suggest": _epilog(
        "0 done",
        "compute-wizard suggest > answers.toml",
        "compute-wizard suggest --portable > fleet.toml",
        "compute-wizard suggest | compute-wizard plan --answers -",
    ),
    "plan": _epilog(
        "0 nothing to change, 2 there are changes, 3 a finding blocks",
        "compute-wizard plan --answers answers.toml",
        "compute-wizard plan --answers answers.toml --out change.plan",
        "compute-wizard --root node.tar plan --json",
    ),
    "apply": _epilog(
        "0 done, 3 a finding blocks, 4 refused, 5 failed and rolled back, 6 failed or interrupted",
        "compute-wizard apply change.plan",
        "compute-wizard apply change.plan --yes --confirm 10",
        "compute-wizard apply --answers answers.toml --accept one-way",
    ),
    "confirm": _epilog(
        "0 kept (with --no: undone), 4 too late for --no, 5 too late: rolled back",
        "compute-wizard confirm",
        "compute-wizard confirm --no",
    ),
    "resume": _epilog(
        "0 done, 4 refused, 5 failed and rolled back, 6 failed or interrupted",
        "compute-wizard resume",
        "compute-wizard resume 3 --yes",
    ),
    "verify": _epilog(
        "0 all held, 2 something failed or waits for a reboot, 7 something could not be seen;\n"
        "  --format nagios: 0 ok, 1 waits for a reboot, 2 failed, 3 could not be seen; --format prometheus: 0 written",
        "compute-wizard verify",
        "compute-wizard verify --acknowledge",
        "compute-wizard verify --metadata br1441 --yes",
        "compute-wizard verify --format nagios",
        "compute-wizard verify --format prometheus --out /var/lib/prometheus/node-exporter/compute-wizard.prom",
    ),
    "history": _epilog(
        "0 done, 7 a run could not be read",
        "compute-wizard history",
        "compute-wizard history 3",
        "compute-wizard history --follow",
    ),
    "undo": _epilog(
        "0 done, 3 a finding blocks, 4 refused, 5 failed and rolled back, 6 failed or interrupted",
        "compute-wizard undo",
        "compute-wizard undo 3 --yes",
        "compute-wizard undo 3 --changed /etc/nova/nova.conf=merge",
    ),
    "export": _epilog(
        "0 done, 3 a finding blocks (script)",
        "compute-wizard --root node.tar export script --out change.sh",
        "compute-wizard export ansible --answers fleet.toml --out fleet",
        "compute-wizard export timer --out /etc/systemd/system",
    ),
    "bundle": _epilog(
        "0 done", "compute-wizard bundle --out bundle.tar.gz", "compute-wizard bundle 3 --out run3.tar.gz"
    ),
    "recorder": _epilog(
        "0 done", "compute-wizard recorder > recorder.sh", "compute-wizard recorder | ssh NODE 'cat > recorder.sh'"
    ),
    "record": _epilog(
        "0 done",
        "compute-wizard record node.tar",
        "ssh root@NODE compute-wizard record - > node.tar",
    ),
    "compare": _epilog(
        "0 all the same, 2 they differ, or something is there twice",
        "compute-wizard compare node1.tar node2.tar node3.tar",
        "compute-wizard compare *.tar --answers fleet.toml --json",
    ),
    "schema": _epilog(
        "0 done",
        "compute-wizard schema answers --out answers.schema.json",
        "compute-wizard schema verify",
    ),
    "validate": _epilog(
        "0 valid",
        "compute-wizard validate answers.toml",
        "compute-wizard validate change.plan --json",
        "compute-wizard suggest | compute-wizard validate -",
    ),
}
"""Of every command; tests run them."""
