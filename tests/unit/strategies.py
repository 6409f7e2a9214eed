"""Valid answers for the demo node, as hypothesis makes them up."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

CARDS = st.fixed_dictionaries(
    {
        "count": st.one_of(st.integers(1, 16), st.just("max")),
        "ports": st.sampled_from(["keep", "infiniband", "ethernet"]),
    }
)
NETWORKS = st.lists(
    st.sampled_from([("demo-net", 1441, "10.44.1"), ("demo2-net", 1442, "10.44.2"), ("third", 1443, "10.44.3")]),
    unique=True,
    min_size=1,
)


@st.composite
def any_answers(draw: st.DrawFn) -> dict[str, Any]:
    """Valid answers for the demo node, each chapter there or not."""
    card = {"match": {"vendor": "15b3", "product": "1007"}, **draw(CARDS)}
    rows = [
        {"label": name, "router": f"{net}.{draw(st.integers(1, 254))}", "vlan": vlan}
        for name, vlan, net in draw(NETWORKS)
    ]
    chapters: dict[str, Any] = {
        "iommu": {"enable": True, "passthrough_mode": draw(st.booleans())},
        "vfs": {"card": [card]},
        "passthrough": {
            "pool": [{"name": draw(st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True)), "cards": "all"}]
        },
        "gateways": {"network": rows},
        "metadata": {"redirect": True, "target": draw(st.sampled_from(["continue", "accept"]))},
    }
    left = draw(st.sets(st.sampled_from(["iommu", "vfs", "gateways", "metadata"])))
    dropped = left | ({"passthrough"} if "vfs" in left or draw(st.booleans()) else set())
    return {name: value for name, value in chapters.items() if name not in dropped}
