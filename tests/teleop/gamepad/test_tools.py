"""The gamepad's tools in a terminal, on a fake hidapi: the wizard to its file, and the live view."""

from pathlib import Path

import pytest

from tests.emulators.pads import FakeHid, FakePad
from tests.teleop.gamepad.test_mappings import dualsense_cable
from tests.teleop.gamepad.test_wizard import Person
from workers.teleop.gamepad import tools
from workers.teleop.gamepad.mapping import bundled, known
from workers.teleop.gamepad.pads import Pad
from workers.teleop.gamepad.wizard import ASKS, Wizard


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


class Hands:
    """Plays the person between two looks at the keys; hears the prompts."""

    def __init__(self, pad: FakePad, keys: dict[int, str] | None = None) -> None:
        self.person = Person(bundled()["logitech_d"], 0, streams=True)
        self.pad, self.told = pad, [""]
        self.shadow = Wizard(0.0)  # to know what is asked for, as the person who reads does
        self.keys = keys or {}
        self.looks = 0

    def key(self, wait_s: float) -> str:
        self.person.move(self.shadow)
        report = self.person.report()
        self.pad.send(report)
        self.person.now_s += 0.01
        self.shadow.hear(report, self.person.now_s)
        self.shadow.tick(self.person.now_s)
        self.looks += 1
        return self.keys.get(self.looks, "")


def test_the_wizard_asks_its_way_to_a_file_that_is_found_again() -> None:
    fake = FakePad(0x1234, 0x5678, name="Cheap Pad")
    hands = Hands(fake)
    with tools.opened(None, (FakeHid(fake), None)) as pad:
        path = tools.map_gamepad(pad, hands.key, hands.told.append, lambda: hands.person.now_s)
    assert path.name == "1234_5678.toml"
    told = "\n".join(hands.told)
    assert "Cheap Pad (1234:5678): 12 controls" in told
    assert all(ask.words in told for ask in ASKS) and "let go" in told
    assert known()["1234_5678"].fits(0x1234, 0x5678)


def test_leaving_the_wizard_writes_nothing(tmp_path: Path) -> None:
    fake = FakePad(0x1234, 0x5678)
    hands = Hands(fake, {500: "q"})
    with (
        pytest.raises(tools.ToolRefused, match="nothing was written"),
        tools.opened(None, (FakeHid(fake), None)) as pad,
    ):
        tools.map_gamepad(pad, hands.key, hands.told.append, lambda: hands.person.now_s)
    assert list(tmp_path.rglob("*.toml")) == []


def test_a_control_that_is_needed_and_was_skipped_is_told() -> None:
    fake = FakePad(0x1234, 0x5678)
    hands = Hands(fake, dict.fromkeys(range(400, 2000), "s"))
    with (
        pytest.raises(tools.ToolRefused, match="lacks"),
        tools.opened(None, (FakeHid(fake), None)) as pad,
    ):
        tools.map_gamepad(pad, hands.key, hands.told.append, lambda: hands.person.now_s)


def test_the_view_shows_sticks_buttons_and_what_the_arm_would_do() -> None:
    fake = FakePad(0x054C, 0x0CE6, name="DualSense")
    pictures: list[str] = []
    now = iter(range(1000))
    with tools.opened(None, (FakeHid(fake), None)) as pad:
        fake.send(dualsense_cable(b"\x08\x02"))
        keys = iter(["", "", "q"])
        tools.show_gamepad(
            pad, pad.found.mapping, lambda _: next(keys), pictures.append, lambda: float(next(now))
        )
    assert "left_x [          |==========] +1.00" in pictures[-1]
    assert "pressed right_trigger, right_bumper" in pictures[-1]
    assert "left -1.00, up +1.00, gripper +1" in pictures[-1]
    assert "01 ff 80 80 00" in pictures[-1]


def test_the_view_of_an_unknown_pad_shows_its_bytes() -> None:
    fake = FakePad(0x1234, 0x5678, name="Cheap Pad")
    found = Pad(tools.search({}, (FakeHid(fake), None))[0]).found
    picture = tools.view(found, None, None, {}, b"\x01\x02", 10.0)
    assert "map-gamepad" in picture and "01 02" in picture


@pytest.mark.parametrize(
    ("plugged", "device", "said"),
    [
        ([], None, "no gamepad found"),
        ([FakePad(0x1234, 0x5678, name="Cheap Pad")], "054c:0ce6", "there are: Cheap Pad (1234:5678)"),
    ],
)
def test_without_the_pad_it_says_what_there_is(plugged: list[FakePad], device: str | None, said: str) -> None:
    with pytest.raises(tools.ToolRefused) as caught, tools.opened(device, (FakeHid(*plugged), None)):
        pass
    assert said in str(caught.value)


def test_a_pad_that_is_pulled_out_meanwhile_is_told() -> None:
    fake = FakePad(0x1234, 0x5678)
    module = FakeHid(fake)

    def pull(wait_s: float) -> str:
        module.plugged.clear()
        return ""

    with (
        pytest.raises(tools.ToolRefused, match="plug it in again"),
        tools.opened(None, (module, None)) as pad,
    ):
        tools.map_gamepad(pad, pull, str, iter(range(1000)).__next__)
