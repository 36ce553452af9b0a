"""Every mapping that comes along, on reports laid out as the pads send them."""

import struct

import pytest

from workers.teleop.gamepad.mapping import STICKS, MappingError, Values, bundled, parse

CENTRE = 0x80


def sony(
    head: bytes, triggers: tuple[int, int] | None, buttons: bytes, tail: bytes = b"", size: int = 64
) -> bytes:
    sticks = bytes([0xFF, CENTRE, CENTRE, 0x00])  # left stick right, right stick up
    middle = b"" if triggers is None else bytes(triggers)
    return (head + sticks + middle + buttons + tail).ljust(size, b"\0")


def dualsense_cable(buttons: bytes) -> bytes:
    return sony(b"\x01", (0, 255), b"\x2a" + buttons)


def dualsense_air(buttons: bytes) -> bytes:
    return sony(b"\x31\x10", (0, 255), b"\x2a" + buttons, size=78)


def dualsense_short(buttons: bytes) -> bytes:
    return sony(b"\x01", None, buttons + b"\0", b"\x00\xff", size=10)


def dualshock_cable(buttons: bytes) -> bytes:
    return sony(b"\x01", None, buttons + b"\x04", b"\x00\xff", size=64)


def dualshock_air(buttons: bytes) -> bytes:
    return sony(b"\x11\xc0\x00", None, buttons + b"\x04", b"\x00\xff", size=78)


def logitech(head: bytes, buttons: bytes) -> bytes:
    """The triggers are buttons: the right one is down."""
    return head + bytes([0xFF, CENTRE, CENTRE, 0x00, buttons[0], buttons[1] | 0x08, 0x00, 0xFF])


def xbox360(buttons: bytes) -> bytes:
    return b"\x00\x14" + buttons + b"\x00\xff" + struct.pack("<4h", 32767, 0, 0, 32767) + bytes(6)


def xbox_one(buttons: bytes) -> bytes:
    return b"\x20\x00\x07\x0e" + buttons + struct.pack("<2H4h", 0, 1023, 32767, 0, 0, 32767)


def xbox_air(buttons: bytes, size: int) -> bytes:
    sticks = struct.pack("<4H", 65535, 32768, 32768, 0)
    return (b"\x01" + sticks + struct.pack("<2H", 0, 1023) + b"\x00" + buttons).ljust(size, b"\0")


# mapping, report without any button, with the upper right one, and with each of the three verdicts' (up, down, left)
CASES = {
    "dualsense cable": ("dualsense", dualsense_cable, b"\x08\0", b"\x08\x02", b"\x88\0", b"\x28\0", b"\x18\0"),
    "dualsense air": ("dualsense", dualsense_air, b"\x08\0", b"\x08\x02", b"\x88\0", b"\x28\0", b"\x18\0"),
    "dualsense short": ("dualsense", dualsense_short, b"\x08\0", b"\x08\x02", b"\x88\0", b"\x28\0", b"\x18\0"),
    "dualshock cable": ("dualshock4", dualshock_cable, b"\x08\0", b"\x08\x02", b"\x88\0", b"\x28\0", b"\x18\0"),
    "dualshock air": ("dualshock4", dualshock_air, b"\x08\0", b"\x08\x02", b"\x88\0", b"\x28\0", b"\x18\0"),
    "F310": (
        "logitech_d", lambda b: logitech(b"", b), b"\x08\0", b"\x08\x02", b"\x88\0", b"\x28\0", b"\x18\0",
    ),
    "F710": (
        "logitech_f710_d", lambda b: logitech(b"\x01", b), b"\x08\0", b"\x08\x02", b"\x88\0", b"\x28\0", b"\x18\0",
    ),
    "Xbox 360": ("xbox360_usb", xbox360, b"\0\0", b"\0\x02", b"\0\x80", b"\0\x10", b"\0\x40"),
    "Xbox One": ("xbox_one_usb", xbox_one, b"\0\0", b"\0\x20", b"\x80\0", b"\x10\0", b"\x40\0"),
    "Xbox air": (
        "xbox_bluetooth", lambda b: xbox_air(b, 17), b"\0\0", b"\x80\0", b"\x10\0", b"\x01\0", b"\x08\0",
    ),
    "Xbox air, 2016": (
        "xbox_bluetooth", lambda b: xbox_air(b, 16), b"\0\0", b"\x20\0", b"\x08\0", b"\x01\0", b"\x04\0",
    ),
}  # fmt: skip
VERDICTS = ("north", "south", "west")


@pytest.mark.parametrize("case", CASES)
def test_sticks_triggers_and_buttons_are_where_the_pad_has_them(case: str) -> None:
    name, report, rest, bumper, *verdicts = CASES[case]
    mapping = bundled()[name]

    def values(buttons: bytes) -> Values:
        found = mapping.values(report(buttons))
        assert found is not None
        return found

    at_rest = values(rest)
    assert [at_rest[stick] for stick in STICKS] == pytest.approx([1.0, 0.0, 0.0, 1.0], abs=0.01)
    assert (at_rest["left_trigger"], at_rest["right_trigger"]) == (0.0, 1.0)
    pressed = [name for name in (*VERDICTS, "east", "left_bumper", "right_bumper") if at_rest[name]]
    assert pressed == []
    held = values(bumper)
    assert held["right_bumper"] == 1.0 and not held["left_bumper"]
    for button, code in zip(VERDICTS, verdicts, strict=True):
        assert [name for name in VERDICTS if values(code)[name]] == [button]


@pytest.mark.parametrize("name", bundled())
def test_reports_of_another_kind_are_passed_over(name: str) -> None:
    mapping = bundled()[name]
    assert mapping.values(b"\x01") is None
    if mapping.reports[0].id is not None:
        assert mapping.values(b"\x77" + bytes(77)) is None


def test_no_two_mappings_claim_the_same_pad() -> None:
    pads = [(pad.vendor, pad.product) for mapping in bundled().values() for pad in mapping.pads]
    assert len(pads) == len(set(pads))


def test_every_mapping_says_where_it_is_from() -> None:
    assert all(len(mapping.source) > 20 for mapping in bundled().values())


GOOD = """
name = "mine"
source = "learned"
[[pads]]
vendor = 1
product = 2
[[reports]]
length = 6
layout = "pad"
[layouts.pad]
left_x = { byte = 0 }
left_y = { byte = 1, low = 255, high = 0 }
right_y = { byte = 3 }
left_trigger = { byte = 4, mask = 1 }
right_trigger = { byte = 4, mask = 2 }
right_bumper = { byte = 4, mask = 4 }
north = { byte = 5, mask = 1 }
south = { byte = 5, mask = 2 }
west = { byte = 5, mask = 4 }
"""


def test_a_mapping_may_use_other_controls() -> None:
    text = GOOD.replace("west = { byte = 5, mask = 4 }\n", "start = { byte = 5, mask = 4 }\n")
    mapping = parse(text + '[use]\nrerecord = "start"\nforward = "right_y"\n', "mine.toml")
    assert (mapping.use.rerecord, mapping.use.forward) == ("start", "right_y")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("length = 6", "length = 5"), "north lies behind the end of a report of 5 bytes"),
        (('layout = "pad"', 'layout = "pod"'), 'names the layout "pod"'),
        (("west = { byte = 5, mask = 4 }\n", ""), "lacks west"),
        (("{ byte = 0 }", "{ byte = 0, low = 7, high = 7 }"), "low and high are the same"),
        (("vendor = 1", "vendor = 'x'"), "Expected `int`"),
        (("vendor = 1", "vendor = "), "no gamepad mapping"),
        (("byte = 0", "byte = 0, bite = 1"), "bite"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(change: tuple[str, str], said: str) -> None:
    assert parse(GOOD, "mine.toml").name == "mine"
    with pytest.raises(MappingError, match=r"mine\.toml is no gamepad mapping") as caught:
        parse(GOOD.replace(*change), "mine.toml")
    assert said in str(caught.value)
