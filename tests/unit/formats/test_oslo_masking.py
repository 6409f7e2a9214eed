"""nova.conf as it may be shown: no value but those that are listed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oslo_files import any_files

from wizard.formats import oslo_config as oslo


def test_masked_shows_what_is_listed_and_nothing_else() -> None:
    content = b"""\
# transport_url = rabbit://u:hunter2@h
#
[DEFAULT]
transport_url = rabbit://u:hunter2@h
 more hunter2
my_ip = 10.0.0.7

[pci]\r
alias = {"name": "a",
    "vendor_id": "15b3"}
  rabbit_password = hunter2
  # hunter2
  rabbit://u:hunter2@h
  password: hunter2
  hunter2=
  "rabbit://u:hunter2@h"
admin_password = hunter2
  hunter2
"""
    assert (
        oslo.masked(content, {"alias", "my_ip"})
        == b"""\
# ***
#
[DEFAULT]
transport_url = ***
 ***
my_ip = 10.0.0.7

[pci]\r
alias = {"name": "a",
    "vendor_id": "15b3"}
  ***
  ***
  ***
  ***
  ***
  ***
admin_password = ***
  ***
"""
    )


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"hunter2", b"***"),
        (b"HUNTER2==", b"***"),
        (b"rabbit://u:hunter2@h/", b"rabbit = ***"),
        (b"--sql_connection=mysql://u:hunter2@h", b"--sql_connection = ***"),
        (b"[DEFAULT] password = hunter2", b"[DEFAULT] ***"),
        (b"[mysql://u:hunter2@h]", b"[***]"),
        (b"[pci", b"[***]"),
        (b"   hunter2", b"   ***"),
        (b"alias hunter2", b"***"),
        (b"\xff\xfehunter2", b"***"),
        (b"\xef\xbb\xbfpassword = hunter2", b"***"),
        (b"; hunter2", b"# ***"),
        (b"alias = \xff", b"alias = \xff"),
        (b"Alias = hunter2", b"***"),
    ],
)
def test_masked_hides_odd_lines(line: bytes, shown: bytes) -> None:
    assert oslo.masked(line, ["alias"]) == shown
    assert oslo.masked(b"\n" + line + b"\r\n", ["alias"]) == b"\n" + shown + b"\r\n"


@given(
    any_files(),
    st.lists(st.sampled_from(["password = {}", "x={}", "{}", "  {}", "# {}", "rabbit://u:{}@h"]), max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_masked_never_shows_a_secret(content: bytes, forms: list[str]) -> None:
    lines = content.split(b"\n")
    for number, form in enumerate(forms):
        lines.insert(number * 2 % (len(lines) + 1), form.format("HUNTER2").encode())
    secret = b"\n".join(lines)
    hidden = oslo.masked(secret, {"shown_option"})
    assert b"HUNTER2" not in hidden
    for end in (b"\n", b"\r"):
        assert hidden.count(end) == secret.count(end)
    assert oslo.masked(hidden, {"shown_option"}) == hidden
