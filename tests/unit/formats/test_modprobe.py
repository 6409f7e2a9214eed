"""modprobe.d: the right value in effect, by the smallest change."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.formats import modprobe

WANTED = {"num_vfs": "16", "probe_vf": "0"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b"options mlx4_core num_vfs=16 probe_vf=0\n"),
        (b"# own\n", b"# own\noptions mlx4_core num_vfs=16 probe_vf=0\n"),
        (b"# own", b"# own\noptions mlx4_core num_vfs=16 probe_vf=0\n"),
        (b"# own\r\n", b"# own\r\noptions mlx4_core num_vfs=16 probe_vf=0\r\n"),
        (b"options mlx4-core num_vfs=4 x=1\n", b"options mlx4-core num_vfs=16 x=1 probe_vf=0\n"),
        (
            b"options mlx4_core num_vfs=4\noptions mlx4_core num_vfs=8\n",
            b"options mlx4_core\noptions mlx4_core num_vfs=16 probe_vf=0\n",
        ),
        (b"options mlx4_core a=1 \\\n  num_vfs=4\n", b"options mlx4_core a=1 \\\n  num_vfs=16 probe_vf=0\n"),
        (b"options mlx4_en x=1\n", b"options mlx4_en x=1\noptions mlx4_core num_vfs=16 probe_vf=0\n"),
    ],
)
def test_the_smallest_change(before: bytes | None, after: bytes) -> None:
    assert modprobe.set_parameters(before, "mlx4_core", WANTED) == after
    assert modprobe.set_parameters(after, "mlx4_core", WANTED) == after


def test_removing_takes_the_line_where_nothing_is_left() -> None:
    content = b"# own\noptions mlx4_core num_vfs=16 probe_vf=0\nblacklist x\n"
    assert modprobe.remove_parameters(content, "mlx4_core", ["num_vfs", "probe_vf"]) == b"# own\nblacklist x\n"
    assert (
        modprobe.remove_parameters(content, "mlx4_core", ["num_vfs"])
        == b"# own\noptions mlx4_core probe_vf=0\nblacklist x\n"
    )


def test_the_order_of_files() -> None:
    paths = [
        "/lib/modprobe.d/a.conf",
        "/etc/modprobe.d/z.conf",
        "/etc/modprobe.d/b.conf",
        "/lib/modprobe.d/b.conf",
        "/etc/modprobe.d/n.txt",
    ]
    assert modprobe.order(paths) == ["/lib/modprobe.d/a.conf", "/etc/modprobe.d/b.conf", "/etc/modprobe.d/z.conf"]


LINE = st.one_of(
    st.sampled_from(
        [
            b"options mlx4_core num_vfs=4",
            b"options mlx4-core  probe_vf=1\tport_type_array=1,2",
            b"options other x=1",
            b"blacklist y",
            b"# options mlx4_core num_vfs=9",
            b"options",
            b"options mlx4_core",
            b"install mlx4_core /bin/true \\",
            b"",
        ]
    ),
    st.binary(max_size=20).filter(lambda b: b"\n" not in b and b"\r" not in b),
)
FILES = st.tuples(st.lists(LINE, max_size=8), st.sampled_from([b"\n", b"\r\n"]), st.booleans()).map(
    lambda each: each[1].join(each[0]) + (each[1] if each[2] else b"")
)


@settings(max_examples=150, deadline=None)
@given(FILES)
def test_any_file_gets_the_values_and_keeps_the_rest(content: bytes) -> None:
    after = modprobe.set_parameters(content, "mlx4_core", WANTED)
    found = modprobe.effective([("x", after)])
    assert {name: found["mlx4_core"][name] for name in WANTED} == WANTED
    assert modprobe.set_parameters(after, "mlx4_core", WANTED) == after
    before = modprobe.effective([("x", content)])
    rest = {m: {n: v for n, v in p.items() if m != "mlx4_core" or n not in WANTED} for m, p in before.items()}
    kept = {m: {n: v for n, v in p.items() if m != "mlx4_core" or n not in WANTED} for m, p in found.items()}
    assert {m: p for m, p in rest.items() if m != "mlx4_core"} == {m: p for m, p in kept.items() if m != "mlx4_core"}
    assert rest.get("mlx4_core", {}) == kept.get("mlx4_core", {})
    gone = modprobe.remove_parameters(after, "mlx4_core", list(WANTED))
    assert not set(modprobe.effective([("x", gone)]).get("mlx4_core", {})) & set(WANTED)
