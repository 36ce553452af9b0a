"""The gamepad's worker on a fake hidapi: what the person does reaches the record, and a pulled plug stops it."""

import logging
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from tests.emulators.pads import FakeHid, FakePad
from tests.teleop.gamepad.test_mappings import GOOD, dualsense_cable, logitech, xbox_one
from workers.config import TeleopConfig
from workers.model.commands import Verdict
from workers.robot.board import JOINT_TARGET, TELEOP_STATE
from workers.runtime.shared import SharedNewest
from workers.teleop.device import DeviceReader, DeviceWord, DeviceWriter
from workers.teleop.gamepad.worker import GamepadReader

CONTEXT = multiprocessing.get_context("spawn")
SONY = (0x054C, 0x0CE6)
REST, HELD = b"\x08\0", b"\x08\x02"


class Bench:
    """One reader with its record, on a clock of its own."""

    def __init__(
        self, *pads: FakePad, usb: FakeHid | None = None, human: bool = False, **teleop: object
    ) -> None:
        self.now_ns = 10**12
        self.hid = FakeHid(*pads)
        block, self.target = SharedNewest(CONTEXT, TELEOP_STATE), SharedNewest(CONTEXT, JOINT_TARGET)
        state = np.zeros((), JOINT_TARGET)
        state["human"] = human
        self.target.write(state)
        self._reader = DeviceReader(block, lambda: self.now_ns)
        self.worker = GamepadReader(
            TeleopConfig(type="gamepad", **teleop),  # type: ignore[arg-type]
            DeviceWriter(block, "gamepad", lambda: self.now_ns),
            self.target,
            (self.hid, usb),
            lambda: self.now_ns,
        )
        self.word = self.tick()

    def tick(self, after_s: float = 0.01) -> DeviceWord:
        self.now_ns += round(after_s * 1e9)
        self.worker.tick()
        self.word = self._reader.read()
        return self.word


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_sticks_move_only_while_the_upper_right_trigger_is_held() -> None:
    pad = FakePad(*SONY)
    bench = Bench(pad)
    pad.send(dualsense_cable(REST))
    assert not bench.tick().moves and not bench.word.intervene
    pad.send(dualsense_cable(HELD))  # left stick right, right stick up, right trigger pulled
    bench.tick()
    assert bench.word.intervene and bench.word.motion == pytest.approx([0.0, -1.0, 1.0])
    assert bench.word.gripper == 1.0
    pad.send(dualsense_cable(REST))
    assert not bench.tick().moves and not bench.word.intervene


def test_a_stick_near_its_middle_moves_nothing_and_begins_at_nothing() -> None:
    pad = FakePad(0x046D, 0xC216)
    bench = Bench(pad, deadzone=0.2)
    moved = []
    for left_y in (255 - 128, 110, 100, 0):
        pad.send(bytes([128, left_y, 128, 128, 0x08, 0x02, 0, 0xFF]))
        moved.append(float(bench.tick().motion[0]))
    assert moved[:2] == [0.0, 0.0] and 0.0 < moved[2] < 0.05 and moved[3] == pytest.approx(1.0)


def test_taps_between_two_looks_are_not_lost_and_count_once() -> None:
    pad = FakePad(0x046D, 0xC219)
    bench = Bench(pad)
    up, down = logitech(b"\x01", b"\x08\0"), logitech(b"\x01", b"\x88\0")
    pad.send(up, down, up, down, up)
    assert bench.tick().presses == (2, 0, 0)
    pad.send(down, down, down, logitech(b"\x01", b"\x28\0"), logitech(b"\x01", b"\x18\0"))
    assert bench.tick().presses == (3, 1, 1)


def test_a_button_that_is_down_when_the_pad_comes_is_no_press() -> None:
    pad = FakePad(*SONY)
    bench = Bench(pad)
    pad.send(dualsense_cable(b"\x88\0"), dualsense_cable(b"\x88\0"))
    assert bench.tick().presses == (0, 0, 0)


def test_without_holding_a_press_takes_and_another_gives_back() -> None:
    pad = FakePad(*SONY)
    bench = Bench(pad, hold_to_intervene=False)
    pad.send(dualsense_cable(REST), dualsense_cable(HELD), dualsense_cable(REST))
    assert bench.tick().intervene and bench.word.moves
    pad.send(dualsense_cable(HELD), dualsense_cable(REST))
    assert not bench.tick().intervene and not bench.word.moves


def test_ten_times_unplugged_and_plugged_in_again(caplog: pytest.LogCaptureFixture) -> None:
    pad = FakePad(*SONY)
    bench = Bench(pad)
    for _ in range(10):
        pad.send(dualsense_cable(HELD))
        assert bench.tick().moves
        bench.hid.plugged.clear()
        assert bench.tick().lost and "unplugged" in bench.word.reason
        assert not bench.word.moves and not bench.word.intervene
        for _ in range(5):
            bench.tick(0.5)
        assert bench.word.lost and bench.word.reason == "none found, plug one in"
        bench.hid.plugged.append(pad)
        bench.tick(1.1)
        pad.send(dualsense_cable(HELD))
        assert bench.tick().live
    assert bench.hid.searches < 70, "it looks once a second"
    assert sum("plug it in again" in line for line in caplog.messages) == 10


def test_a_pad_that_streams_and_falls_silent_is_late_and_then_gone() -> None:
    pad = FakePad(*SONY)
    bench = Bench(pad)
    pad.send(dualsense_cable(HELD))
    assert bench.tick().moves
    assert bench.tick(0.14).moves
    assert not bench.tick(0.03).moves and not bench.word.lost, "150 ms"
    assert bench.tick(0.4).lost, "out of reach"


def test_a_pad_that_sends_changes_only_is_fresh_while_it_can_be_read() -> None:
    pad = FakePad(0x046D, 0xC216)
    bench = Bench(pad)
    pad.send(logitech(b"", b"\x08\x02"))
    bench.tick()
    assert bench.tick(1.0).moves


def test_no_permission_is_said_with_the_rule_that_gives_it(caplog: pytest.LogCaptureFixture) -> None:
    pad = FakePad(*SONY, name="DualSense", path=b"/dev/hidraw99")
    pad.forbidden = True
    bench = Bench(pad)
    assert bench.word.lost and bench.word.reason == "no permission for 054c:0ce6: the log has the udev rule"
    (said,) = caplog.messages
    assert 'ATTRS{idVendor}=="054c", ATTRS{idProduct}=="0ce6", MODE="0666"' in said
    assert "/dev/hidraw99" in said and "udevadm control --reload" in said
    bench.tick(1.1)
    assert len(caplog.messages) == 1, "once, however often it is tried"


def test_an_unknown_pad_is_told_how_it_gets_a_mapping(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(FakePad(0x1234, 0x5678, name="Cheap Pad"))
    assert bench.word.lost and "1234:5678 has no mapping" in bench.word.reason
    assert "hilserl-worker map-gamepad" in caplog.messages[0]


def test_a_mapping_of_ones_own_goes_before_those_that_come_along(tmp_path: Path) -> None:
    folder = tmp_path / "hilserl" / "gamepads"
    folder.mkdir(parents=True)
    (folder / "1234_5678.toml").write_text(
        GOOD.replace("vendor = 1", "vendor = 0x1234").replace("product = 2", "product = 0x5678")
    )
    pad = FakePad(0x1234, 0x5678)
    bench = Bench(pad)
    pad.send(bytes([0, 0, 0, 255, 4, 0]))
    assert bench.tick().motion == pytest.approx([1.0, 1.0, 1.0])


def test_one_of_two_pads_is_chosen_by_ids_or_serial_number() -> None:
    first, second = FakePad(*SONY, path=b"a"), FakePad(0x046D, 0xC216, serial="S2", path=b"b")
    for wanted in ("046d:c216", "046D:C216", "S2"):
        bench = Bench(first, second, device=wanted)
        second.send(logitech(b"", b"\x08\x02"))
        assert bench.tick().moves
    other = Bench(first, device="S3")
    assert other.word.lost and other.word.reason == "no S3, but others"


def test_an_xbox_pad_by_cable_is_found_by_libusb_and_woken() -> None:
    pad = FakePad(0x045E, 0x02EA, usage=0)
    bench = Bench(usb=FakeHid(pad))
    assert pad.written == [b"\x05\x20\x00\x01\x00"]
    pad.send(xbox_one(b"\0\x20"))
    assert bench.tick().motion == pytest.approx([0.0, -1.0, 1.0])


def test_a_keyboard_is_no_gamepad_and_a_pads_headset_neither() -> None:
    bench = Bench(FakePad(0x1111, 0x2222, usage=6), FakePad(*SONY, usage=1))
    assert bench.word.reason == "none found, plug one in"


@pytest.mark.parametrize("human", [False, True])
def test_a_pad_whose_sticks_never_move_while_somebody_would_drive_is_doubted(
    human: bool, caplog: pytest.LogCaptureFixture
) -> None:
    pad = FakePad(0x046D, 0xC216)
    bench = Bench(pad, human=human)
    caplog.set_level(logging.WARNING)
    for _ in range(60):
        pad.send(bytes([128, 128, 128, 128, 8, 0, 0, 255]))
        bench.tick(0.1)
    assert bool(bench.word.reason) is human, "while nobody drives, a pad lies on the table"
    assert sum("right pad, right mode" in line for line in caplog.messages) == human
    if human:
        pad.send(bytes([130, 128, 128, 128, 8, 0, 0, 255]))
        assert bench.tick(0.1).reason == ""


def test_the_worker_goes_on_counting_where_its_predecessor_was() -> None:
    block = SharedNewest(CONTEXT, TELEOP_STATE)
    first = DeviceWriter(block, "gamepad")
    first.press(Verdict.SUCCESS)
    first.write(True, np.ones(3))
    second = DeviceWriter(block, "gamepad")
    second.gone("starting")
    word = DeviceReader(block).read()
    assert word.presses == (1, 0, 0) and not word.intervene
