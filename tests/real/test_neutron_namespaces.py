"""The proof of metadata on Neutron nodes, in real namespaces: what answers there decides what is said, and nothing is left."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from wizard.facts.neutron.served import Namespace
from wizard.probes.metadata import neutron

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None,
    reason="kernel: needs root and the program ip for a network namespace",
)
SERVER = (
    "import http.server, sys\n"
    "class H(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(int(sys.argv[1])); self.end_headers()\n"
    "    def log_message(self, *words): pass\n"
    "http.server.HTTPServer(('169.254.169.254', 80), H).serve_forever()\n"
)


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=30)


@contextmanager
def namespace(status: int | None) -> Iterator[Namespace]:
    """A namespace with the metadata address, and a stand-in for haproxy where a status is given."""
    network = f"test-{secrets.token_hex(4)}"
    name = f"ovnmeta-{network}"
    try:
        run("ip", "netns", "add", name)
    except subprocess.CalledProcessError:
        pytest.skip("kernel: no network namespace can be made here")
    server = None
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", name, "addr", "add", "169.254.169.254/32", "dev", "lo")
        if status is not None:
            server = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", SERVER, str(status)])
            _wait(name)
        yield Namespace(name, "ovnmeta", network, True)
    finally:
        if server is not None:
            server.kill()
            server.wait()
        run("ip", "netns", "del", name)


def _wait(name: str) -> None:
    for _ in range(100):
        said = subprocess.run(
            ["ip", "netns", "exec", name, "cat", "/proc/net/tcp"], capture_output=True, text=True, check=True
        )
        if "FEA9FEA9:0050" in said.stdout:
            return
        time.sleep(0.05)
    raise AssertionError("the stand-in does not listen")


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (404, "held", "HTTP 404"),
        (200, "held", "HTTP 200"),
        (503, "failed", "the agent behind it"),
        (None, "failed", "no haproxy listens"),
    ],
)
def test_what_answers_decides(status: int | None, state: str, words: str) -> None:
    with namespace(status) as space:
        check = neutron._asked(space)
    assert (check.state, words in check.seen) == (state, True), check.seen


def test_a_namespace_that_is_gone_is_unknown() -> None:
    assert neutron._asked(Namespace("ovnmeta-not-there", "ovnmeta", "not-there", True)).state == "unknown"
