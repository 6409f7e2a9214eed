"""The SR-IOV agent's lists, by its own rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.formats import sriov_agent
from wizard.formats.sriov_agent import BANDWIDTHS, EXCLUDED, MAPPINGS

# Each was given to the parsers of Neutron 29.0.0 (SriovNicAgentConfigParser): True where the agent starts.
TABLE = [
    ("p:e0", "", "", True),
    ("", "", "", True),
    ("p:e0,p:e1", "e0:0000:07:00.2;0000:07:00.3, e1:0000:05:00.1;", "", True),
    ("p:e0,p:e0", "", "", True),
    ("p:e0,q:e0", "", "", True),
    ("p:e0", "e1:0000:07:00.2", "", False),
    ("p:e0", "e0:0000:07:00.2,e0:0000:07:00.3", "", False),
    ("p:e0", "e0", "", False),
    ("p:e0", ":0000:07:00.2", "", False),
    ("p:e0", "e0:", "", True),
    ("p", "", "", False),
    ("p:e0:x", "", "", False),
    (":e0", "", "", False),
    ("p:", "", "", False),
    ("p:e0", "", "e0:1000:1000", True),
    ("p:e0", "", "e0", True),
    ("p:e0", "", "e0::", True),
    ("p:e0", "", "e0::1000", True),
    ("p:e0", "", "e0:1000", False),
    ("p:e0", "", "e0:a:b", False),
    ("p:e0", "", "e1:1000:1000", False),
    ("p:e0", "", "e0:1:1,e0:2:2", False),
    (" p : e0 , ", "", "", True),
    ("p:e0,,q:e1", "", "", True),
    ("p:e0", "e0:a,,", "", True),
    ("p:e0", ",e0:a", "", False),
    ("p:e0", "", ",e0", False),
    ("p:e0", "", "e0: 5:+6", True),
    ("p:e0", "", "e0:-5:6", False),
]


@pytest.mark.parametrize(("mapped", "excluded", "bandwidths", "starts"), TABLE)
def test_it_starts_or_ends_as_the_agent_does(mapped: str, excluded: str, bandwidths: str, starts: bool) -> None:
    found = sriov_agent.problems({MAPPINGS: mapped, EXCLUDED: excluded, BANDWIDTHS: bandwidths})
    assert (not found) is starts, found


names = st.text("abcdefgh0123456789-", min_size=1, max_size=8)
lists = st.lists(st.tuples(names, names), max_size=5)


@settings(max_examples=150, deadline=None)
@given(lists, names, names)
def test_a_mapping_more_keeps_all_others(there: list[tuple[str, str]], network: str, device: str) -> None:
    text = ",".join(f"{n}:{d}" for n, d in there)
    after = sriov_agent.mappings(sriov_agent.with_mapping(text, network, device))
    before = sriov_agent.mappings(text)
    assert device in after[network]
    for name, devices in before.items():
        assert set(devices) <= set(after[name]) <= {*devices, device}
    assert sriov_agent.with_mapping(sriov_agent.with_mapping(text, network, device), network, device) == (
        sriov_agent.with_mapping(text, network, device)
    )


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(names, st.lists(names, min_size=1, max_size=3), max_size=4),
    names,
    st.lists(names, min_size=1, max_size=3),
)
def test_exclusions_more_keep_all_others(there: dict[str, list[str]], device: str, vfs: list[str]) -> None:
    text = ",".join(f"{name}:{';'.join(each)}" for name, each in there.items())
    after = sriov_agent.excluded(sriov_agent.with_excluded(text, device, vfs))
    assert set(after) == {*there, device}
    assert set(after[device]) == {*there.get(device, []), *vfs}
    assert all(set(after[name]) == set(each) for name, each in there.items() if name != device)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_nothing_makes_it_fail(mapped: str, excluded: str, bandwidths: str) -> None:
    sriov_agent.problems({MAPPINGS: mapped, EXCLUDED: excluded, BANDWIDTHS: bandwidths})
