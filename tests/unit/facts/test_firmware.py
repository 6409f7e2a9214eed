"""Firmware settings: what mstconfig prints, and which card is asked how."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.errors import NodeError, NotThere
from wizard.facts import firmware, firmware_query
from wizard.facts.firmware import CardFirmware
from wizard.facts.pci.functions import PciFacts, PciFunction
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode

CX3 = """

Device #1:
----------

Device type:    ConnectX3Pro
Device:         /sys/bus/pci/devices/0000:20:00.0/config

Configurations:                              Default         Next Boot
         SRIOV_EN                            True(1)         False(0)
         NUM_OF_VFS                          16              16
         LINK_TYPE_P1                        VPI(3)          VPI(3)
"""
CX6 = """
Device #1:
----------

Device type:        ConnectX6LX
Description:        ConnectX-6 Lx EN adapter card; 25GbE ; Dual-port SFP28; PCIe 4.0 x8
Device:             0108:00:00.0

Configurations:                                          Default             Current         Next Boot
        ALLOW_RD_COUNTERS                           True(1)              True(1)              True(1)
*       NUM_OF_VFS                                  8                    8                    16
   RO   NUM_OF_PF                                   2                    2                    2
        ESWITCH_HAIRPIN_TOT_BUFFER_SIZE             Array[0..7]          Array[0..7]          Array[0..7]
        UCTX_EN_WITH_A_NAME_THAT_IS_LONG DEVICE_DEFAULT_SETTING(0) True(1)              True(1)
        WIDE                                        A_VALUE_AS_WIDE(0)   A_VERY_WIDE_VALUE(10)True(1)
        EXP_ROM_UEFI_x86_ENABLE                     False(0)             False(0)             False(0)
        HOST_CHAINING_MODE[0]                       DISABLED(0)          DISABLED(0)          DISABLED(0)
The '*' shows parameters with next value different from default/current value.

Device #2:
----------
Device type:        ConnectX5
Configurations:                                          Default             Current         Next Boot
        NUM_OF_VFS                                  4                    4                    4
"""


def mellanox(address: str, device: str = "1017") -> PciFunction:
    return PciFunction(
        *(address, "15b3", device, "", "020000", "a card", "mlx5_core", 0, None, None, (), (), ()),
        *(8, 0, "1018", True, None, (), "offered", ""),
    )


class Asked(MemoryNode):
    """A node with a tool that answers by address and way, and remembers what it was asked."""

    def __init__(
        self, answers: dict[tuple[str, ...], Output | NodeError], *, live: bool = True, root: bool = True
    ) -> None:
        super().__init__()
        self.live, self.privileged = live, root
        self.answers, self.asked = answers, list[tuple[str, ...]]()
        self.write("/usr/bin/mstconfig", "")

    def run(self, argv: Sequence[str], *, timeout: float = 15.0, stdin: bytes | None = None) -> Output:
        key = tuple(argv[2:])
        self.asked.append(key)
        if key not in self.answers:
            raise NotThere("not there")
        answer = self.answers[key]
        if isinstance(answer, NodeError):
            raise answer
        return answer


def said(text: str, status: int = 0, stderr: str = "") -> Output:
    return Output((), status, text, stderr)


def facts(*functions: PciFunction) -> PciFacts:
    return PciFacts(functions, ())


def test_connectx3_has_no_column_for_what_holds_now() -> None:
    query = firmware_query.parse(CX3)
    assert query is not None
    assert (query.device_type, query.columns) == ("ConnectX3Pro", ("Default", "Next Boot"))
    assert query.next_boot == (("SRIOV_EN", "False(0)"), ("NUM_OF_VFS", "16"), ("LINK_TYPE_P1", "VPI(3)"))
    assert query.current is None


def test_all_three_columns_with_marks_and_values_that_leave_no_room() -> None:
    query = firmware_query.parse(CX6)
    assert query is not None
    assert dict(query.current or ())["NUM_OF_VFS"] == "8"
    assert dict(query.next_boot) == {
        "ALLOW_RD_COUNTERS": "True(1)",
        "NUM_OF_VFS": "16",
        "NUM_OF_PF": "2",
        "ESWITCH_HAIRPIN_TOT_BUFFER_SIZE": "Array[0..7]",
        "UCTX_EN_WITH_A_NAME_THAT_IS_LONG": "True(1)",
        "WIDE": "True(1)",
        "EXP_ROM_UEFI_x86_ENABLE": "False(0)",
        "HOST_CHAINING_MODE[0]": "DISABLED(0)",
    }
    assert query.rows["UCTX_EN_WITH_A_NAME_THAT_IS_LONG"][0] == "DEVICE_DEFAULT_SETTING(0)"


def test_carriage_returns_and_a_header_without_columns() -> None:
    query = firmware_query.parse(
        "Device type: ConnectX4\r\nConfigurations:\r\n\tNUM_OF_VFS\t8\r\n...\r\nThat was all\r\n"
    )
    assert query is not None
    assert (query.device_type, query.next_boot, query.current) == ("ConnectX4", (("NUM_OF_VFS", "8"),), None)


@pytest.mark.parametrize(
    "text", ["", "-E- Failed to open the device\n", "Configurations:   Next Boot\n", "NUM_OF_VFS  8\n"]
)
def test_no_settings_where_there_are_none(text: str) -> None:
    assert firmware_query.parse(text) is None


def test_errors_are_what_the_tool_says() -> None:
    assert firmware_query.errors("\n-E- Failed to open\n  -E- Bad device\n-I- x\n") == "Failed to open; Bad device"


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from([*CX6.splitlines(), *CX3.splitlines(), "*", "RO", "\x0b", "Configurations:  a  b"])
        ).map("\n".join),
    )
)
def test_any_text_is_settings_or_none(text: str) -> None:
    query = firmware_query.parse(text)
    if query is not None:
        assert all(len(values) == len(query.columns) for values in query.rows.values())
        assert len(query.next_boot) == len(query.rows)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9_]{1,30}", fullmatch=True).filter(lambda name: name != "RO"),
        st.tuples(*[st.from_regex(r"[A-Za-z0-9_]{1,25}(\([0-9]{1,3}\))?", fullmatch=True)] * 3),
        min_size=1,
        max_size=5,
    ),
    st.integers(31, 60),
    st.booleans(),
)
def test_any_width_of_columns_is_read_back(rows: dict[str, tuple[str, str, str]], width: int, marked: bool) -> None:
    lines = ["Configurations:" + "".join(name.rjust(width) for name in ("Default", "Current", "Next Boot"))]
    mark = "*" if marked else " "
    lines += [
        f"{mark}      {name.ljust(width)} {''.join(value.ljust(width) for value in values)}"
        for name, values in rows.items()
    ]
    query = firmware_query.parse("\n".join(lines))
    assert query is not None
    assert query.rows == rows


@pytest.mark.parametrize(
    ("printed", "value"),
    [("True(1)", "1"), ("VPI(3)", "3"), ("16", "16"), ("Array[0..7]", "Array[0..7]"), ("N/A", "N/A")],
)
def test_value_without_its_decoration(printed: str, value: str) -> None:
    card = CardFirmware("0000:04:00.0", "", (("X", printed),), None)
    assert (card.value("X"), card.value("Y")) == (value, None)


def test_card_of_two_functions_is_asked_once_and_answers_for_both() -> None:
    node = Asked({("0000:3b:00.0", "-e", "q"): said(CX6)})
    found = firmware.read(node, facts(mellanox("0000:3b:00.0"), mellanox("0000:3b:00.1")))
    assert node.asked == [("0000:3b:00.0", "-e", "q")]
    assert (found.tool, found.unseen, [card.address for card in found.cards]) == ("mstconfig", (), ["0000:3b:00.0"])
    card = found.card("0000:3b:00.1")
    assert card is not None
    assert (card.device_type, card.value("NUM_OF_VFS")) == ("ConnectX6LX", "16")
    assert dict(card.current or ())["NUM_OF_VFS"] == "8"
    assert found.card("0000:3c:00.0") is None


def test_every_function_is_asked_where_each_has_its_own_number() -> None:
    own = CX6.replace("ALLOW_RD_COUNTERS ", "PF_NUM_OF_VF_VALID")
    node = Asked({(f"0000:3b:00.{number}", "-e", "q"): said(own) for number in (0, 1)})
    found = firmware.read(node, facts(mellanox("0000:3b:00.0"), mellanox("0000:3b:00.1")))
    assert [card.address for card in found.cards] == ["0000:3b:00.0", "0000:3b:00.1"]
    card = found.card("0000:3b:00.1")
    assert card is not None
    assert card.address == "0000:3b:00.1"


def test_without_extended_output_and_by_the_next_function() -> None:
    failed = said("", 3, "-E- Unknown flag\n")
    node = Asked({("0000:3b:00.0", "-e", "q"): failed, ("0000:3b:00.0", "q"): failed, ("0000:3b:00.1", "q"): said(CX3)})
    found = firmware.read(node, facts(mellanox("0000:3b:00.0"), mellanox("0000:3b:00.1")))
    assert len(node.asked) == 4
    assert [card.address for card in found.cards] == ["0000:3b:00.1"]
    assert found.unseen == ()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (said("-E- Failed to open the device\n", 1), "Failed to open the device"),
        (said("", 1, "something broke\n"), "something broke"),
        (said("", 9), "ended with status 9"),
        (NodeError("gave no answer within 60 seconds"), "no answer within 60 seconds"),
    ],
)
def test_what_the_tool_complains_of_is_unseen(answer: Output | NodeError, why: str) -> None:
    node = Asked({("0000:3b:00.0", "-e", "q"): answer, ("0000:3b:00.0", "q"): answer})
    found = firmware.read(node, facts(mellanox("0000:3b:00.0")))
    assert found.cards == ()
    assert [each.what for each in found.unseen] == ["firmware settings of 0000:3b:00.0"]
    assert why in found.unseen[0].why


def test_lockdown_is_read_and_named_where_the_card_cannot_be_asked() -> None:
    node = Asked({("0000:3b:00.0", "-e", "q"): said("-E- Failed to open the device\n", 1)})
    node.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    found = firmware.read(node, facts(mellanox("0000:3b:00.0")))
    assert found.lockdown == "integrity"
    assert "Secure Boot" in found.unseen[0].why


@pytest.mark.parametrize(("text", "lockdown"), [("[none] integrity", "none"), ("", ""), ("garbled", "")])
def test_lockdown_that_is_off_or_not_known(text: str, lockdown: str) -> None:
    node = MemoryNode()
    node.write("/sys/kernel/security/lockdown", text)
    assert firmware.read(node, facts()).lockdown == lockdown


def test_only_root_may_ask_on_this_machine() -> None:
    node = Asked({}, root=False)
    found = firmware.read(node, facts(mellanox("0000:3b:00.0")))
    assert (found.tool, found.cards, node.asked) == ("mstconfig", (), [])
    assert "root" in found.unseen[0].why


def test_a_machine_without_the_tool_says_which_package_has_it() -> None:
    node = MemoryNode()
    node.live = True
    found = firmware.read(node, facts(mellanox("0000:3b:00.0")))
    assert found.tool is None
    assert "mstflint" in found.unseen[0].why


def test_a_recorded_node_answers_for_either_tool_without_having_it() -> None:
    node = MemoryNode()
    node.privileged = False
    assert "not recorded" in firmware.read(node, facts(mellanox("0000:3b:00.0"))).unseen[0].why
    node.commands["mlxconfig", "-d", "0000:3b:00.0", "q"] = said(CX3)
    found = firmware.read(node, facts(mellanox("0000:3b:00.0")))
    assert (found.tool, len(found.cards), found.unseen) == ("mlxconfig", 1, ())


def test_nothing_is_asked_without_a_mellanox_card() -> None:
    node = Asked({})
    other = mellanox("0000:3b:00.0", "01f8")
    assert firmware.read(node, facts(other)).unseen == ()
    assert node.asked == []


@pytest.mark.parametrize(("valid", "known"), [("False(0)", True), ("True(1)", False)])
def test_another_port_answers_for_one_that_did_not_unless_each_has_its_own_number(valid: str, known: bool) -> None:
    settings = (("NUM_OF_VFS", "16"), ("PF_NUM_OF_VF_VALID", valid))
    found = firmware.FirmwareFacts("mstconfig", "", (CardFirmware("0000:3b:00.0", "", settings, None),), ())
    assert (found.card("0000:3b:00.1") is not None) is known
    assert found.card("0000:3b:00.0") is not None
    assert found.card("0000:5e:00.0") is None
