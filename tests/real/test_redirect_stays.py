"""The redirect beside real packet filters: it is back within seconds whoever flushes, is filled anew without a gap, and hinders nobody."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import needs
import pytest

from wizard.formats.ebtables import Chain, parse_listing

ASSETS = Path(str(resources.files("assets"))) / "node"
SCRIPT = ASSETS / "compute-wizard-metadata"
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
FIREWALLD = """
mkdir -p /run/dbus
cp -r /etc/firewalld /run/firewalld-etc
sed -i 's/^FirewallBackend=.*/FirewallBackend={backend}/' /run/firewalld-etc/firewalld.conf
mount --bind /run/firewalld-etc /etc/firewalld
dbus-daemon --system --nofork --nopidfile >/dev/null 2>&1 &
bus=$!
sleep 0.5
firewalld --nofork --nopid >/dev/null 2>&1 &
filter=$!
for n in $(seq 60); do firewall-cmd --state >/dev/null 2>&1 && break; sleep 0.5; done
firewall-cmd --state || exit 99
"""


def need(*programs: str) -> None:
    needs.root("a network namespace")
    for program in programs:
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program}: the program is not installed")


def configured(place: Path, bridges: str = "br1441 br1442", target: str = "CONTINUE") -> Path:
    config = place / "metadata.conf"
    config.write_text(f'BRIDGES="{bridges}"\nUPLINKS="vlan+"\nTARGET="{target}"\n', encoding="utf-8")
    return config


def isolated(
    script: str, config: Path, path: str = "", limit: float = 150, interval: float = 3
) -> subprocess.CompletedProcess[str]:
    """Run a script in a network and a /run of its own; all that it starts ends with it."""
    environment = {"PATH": PATH}
    text = SCRIPT.read_text(
        encoding="utf-8"
    )  # a copy with other constants: the script obeys no variable of its caller's
    changes = {"CONFIG=/etc/compute-wizard/metadata.conf": f"CONFIG={config}", "INTERVAL=3": f"INTERVAL={interval}"}
    if path:
        changes["\nPATH=/usr/sbin"] = f"\nPATH={path}:/usr/sbin"
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    own = config.with_name("compute-wizard-metadata.sh")
    own.write_text(text, encoding="utf-8")
    whole = f"mount -t tmpfs tmpfs /run; ip link set lo up\nws={own}\n{script}"
    space = [
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "private",
    ]
    return subprocess.run(
        [*space, "bash", "-c", whole], capture_output=True, text=True, env=environment, check=False, timeout=limit
    )


WATCHED = """
sh $ws watch >/run/watch.log 2>&1 &
watcher=$!
back() { # whether the redirect is there, or comes within seconds
	for n in $(seq 60); do sh $ws status >/dev/null 2>&1 && { echo "=== $1 back"; return; }; sleep 0.2; done
	echo "=== $1 GONE"
}
lost() { sh $ws status >/dev/null 2>&1 && echo "=== $1 was never lost" || echo "=== $1 lost"; }
back start
"""


def test_who_flushes_the_tables_does_not_keep_the_redirect_away(tmp_path: Path) -> None:
    need("ebtables", "nft")
    ruleset = tmp_path / "nftables.conf"
    ruleset.write_text("flush ruleset\ntable inet filter {\n\tchain input {\n\t}\n}\n", encoding="ascii")
    events = {
        "ruleset": "nft flush ruleset",
        "file": f"nft -f {ruleset}",
        "table": "nft delete table bridge nat",
        "ebtables": "ebtables -t nat -F",
        "jump": "ebtables -t nat -F PREROUTING",
        "init": "ebtables -t nat --init-table",
    }
    script = WATCHED + "".join(f"{words}; lost {name}; back {name}\n" for name, words in events.items())
    done = isolated(f"{script}\ncat /run/watch.log; ebtables -t nat -L", configured(tmp_path), interval=1)
    for name in events:
        assert f"=== {name} lost" in done.stdout, done.stdout + done.stderr
        assert f"=== {name} back" in done.stdout, done.stdout + done.stderr
    assert list(parse_listing(done.stdout[done.stdout.index("Bridge table") :])) == [
        *("PREROUTING", "OUTPUT", "POSTROUTING", "cw-metadata")
    ]


RESTART = """kill $filter; wait $filter; firewalld --nofork --nopid >/dev/null 2>&1 & filter=$!
for n in $(seq 60); do firewall-cmd --state >/dev/null 2>&1 && break; sleep 0.5; done"""


@pytest.mark.parametrize(
    ("backend", "events"),
    [
        ("nftables", {"reload": "firewall-cmd -q --reload", "restart": RESTART}),
        ("iptables", {"complete": "firewall-cmd -q --complete-reload"}),
    ],
)
def test_firewalld_does_not_keep_the_redirect_away(backend: str, events: dict[str, str], tmp_path: Path) -> None:
    need("ebtables", "firewalld", "dbus-daemon")
    script = FIREWALLD.replace("{backend}", backend) + WATCHED
    script += "".join(f"{words}\necho rc $?\nback {name}\n" for name, words in events.items())
    done = isolated(
        f"{script}\nfirewall-cmd --permanent --direct --get-all-rules; kill $filter $bus", configured(tmp_path)
    )
    if done.returncode == 99:
        pytest.skip("kernel: firewalld does not start here")
    for name in events:
        assert f"=== {name} back" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("rc 0\n") == len(events)
    assert "169.254" not in done.stdout  # no rule of firewalld's own is made


def test_the_watch_is_silent_while_nothing_happens_and_ends_with_its_configuration(tmp_path: Path) -> None:
    need("ebtables", "nft")
    config = configured(tmp_path)
    script = f"""
    sh $ws apply
    sh $ws watch >/run/watch.log 2>&1 &
    nft monitor >/run/monitor.log 2>&1 &
    sleep 3
    echo "said: $(cat /run/watch.log)"; echo "changed: $(grep -vc '^#' /run/monitor.log)"
    rm {config}
    sleep 1
    kill -0 %1 2>/dev/null || echo ended
    cat /run/watch.log
    """
    done = isolated(script, config, interval=0.5)
    assert "said: \n" in done.stdout or "said: this kernel cannot tell bridges apart" in done.stdout, done.stdout
    assert int(re.findall(r"changed: (\d+)", done.stdout)[0]) <= 6, done.stdout  # what the kernel can is tried once
    assert "ended" in done.stdout
    assert "is gone: there is nothing to watch" in done.stdout


RECORDING = """\
#!/bin/sh
/usr/sbin/ebtables "$@"
status=$?
{ echo "=== $*"; /usr/sbin/ebtables -t nat -L; } >>%s
exit $status
"""


def redirected(chains: dict[str, Chain]) -> bool:
    """Whether a frame of a guest is redirected: a jump of PREROUTING leads to a chain with a redirect."""
    targets = [rule.words[-1] for rule in chains["PREROUTING"].rules]
    return any("redirect" in rule.words for name in targets if name in chains for rule in chains[name].rules)


def test_the_chain_is_filled_anew_without_a_gap(tmp_path: Path) -> None:
    """After each single command of a change the redirect is in force; the old script emptied the chain first."""
    need("ebtables")
    log = tmp_path / "log"
    wrapper = tmp_path / "bin" / "ebtables"
    wrapper.parent.mkdir()
    wrapper.write_text(RECORDING % log, encoding="ascii")
    wrapper.chmod(0o755)
    config = configured(tmp_path)
    script = f"""
    sh $ws apply || exit 1
    : >{log}
    printf 'BRIDGES="*"\\nUPLINKS="eth1 eth2"\\nTARGET="ACCEPT"\\n' >{config}
    sh $ws apply || exit 2
    ebtables -t nat -A cw-metadata -j ACCEPT
    ebtables -t nat -I PREROUTING -p ipv4 --ip-dst 169.254.169.254 --ip-protocol 6 --ip-dport 80 -j cw-metadata
    sh $ws apply || exit 3
    """
    done = isolated(script, config, str(wrapper.parent))
    assert done.returncode == 0, done.stdout + done.stderr
    states = log.read_text(encoding="ascii").split("=== ")[1:]
    assert len([state for state in states if " -A " in state.splitlines()[0]]) >= 6
    gaps = [state for state in states if not redirected(parse_listing(state.partition("\n")[2]))]
    assert gaps == []


@pytest.mark.parametrize("kill_at", [1, 3, 5, 6, 7, 8, 9, 10])
def test_a_kill_at_any_command_of_a_change_is_healed(kill_at: int, tmp_path: Path) -> None:
    need("ebtables")
    wrapper = tmp_path / "bin" / "ebtables"
    wrapper.parent.mkdir()
    count = tmp_path / "count"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *" -"[NAIDFXE]" "*) n=$(($(cat {count}) + 1)); echo $n >{count}; [ $n = {kill_at} ] && kill -9 -- -$(cat {count}.leader); esac\n'
        'exec /usr/sbin/ebtables "$@"\n',
        encoding="ascii",
    )
    wrapper.chmod(0o755)
    config = configured(tmp_path, bridges="*")
    script = f"""
    echo 0 >{count}; echo 999999 >{count}.leader
    sh $ws apply || exit 1
    printf 'BRIDGES="*"\\nUPLINKS="eth1"\\nTARGET="CONTINUE"\\n' >{config}
    echo 0 >{count}
    setsid sh -c 'echo $$ >{count}.leader; exec sh '$ws' apply'
    echo 999999 >{count}.leader
    sh $ws apply || exit 3
    sh $ws status || exit 4
    ebtables -t nat -L
    sh $ws remove >/dev/null
    ebtables -t nat -L
    """
    done = isolated(script, config, str(wrapper.parent))
    assert done.returncode == 0, done.stdout + done.stderr
    first, last = (parse_listing("Bridge table" + part) for part in done.stdout.split("Bridge table")[1:])
    assert list(first) == ["PREROUTING", "OUTPUT", "POSTROUTING", "cw-metadata"]
    assert list(last) == ["PREROUTING", "OUTPUT", "POSTROUTING"]
    assert not last["PREROUTING"].rules


def test_two_at_once_make_one_chain(tmp_path: Path) -> None:
    need("ebtables", "flock")
    script = "for n in 1 2 3 4 5 6; do sh $ws apply & done; wait; ebtables -t nat -L"
    done = isolated(script, configured(tmp_path))
    assert done.stdout.count("is in place") == 6, done.stdout + done.stderr
    chains = parse_listing(done.stdout[done.stdout.index("Bridge table") :])
    assert [rule.words[-1] for rule in chains["PREROUTING"].rules] == ["cw-metadata"]


@pytest.mark.parametrize("name", ["compute-wizard-metadata.service", "compute-wizard-vfs.service"])
def test_a_unit_of_ours_is_tied_to_no_service_of_others(name: str) -> None:
    """A restart of firewalld stops nftables, which it conflicts with: who is a part of both can be in no such transaction."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    keys = [line.partition("=")[0] for line in text.splitlines() if "=" in line and not line.startswith(("#", "["))]
    ties = {
        "PartOf",
        "BindsTo",
        "Requires",
        "Requisite",
        "PropagatesReloadTo",
        "ReloadPropagatedFrom",
        "StopPropagatedFrom",
    }
    assert not ties & set(keys)
    conflicts = [line for line in text.splitlines() if line.startswith("Conflicts=")]
    assert conflicts in ([], ["Conflicts=shutdown.target"])
