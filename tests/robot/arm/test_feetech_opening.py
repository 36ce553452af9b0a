"""Opening a real arm: what is verified, what is written, and what is refused before anything moves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.altered import altered
from tests.config.effects_safety import REAL
from tests.emulators.bus import emulated_bus
from tests.robot.arm.arms import FOLLOWER, LEADER, arm_on_bus, calibration_of, hold, open_arm
from tests.robot.arm.opened import opened
from workers.robot.build import servo_arm_of
from workers.robot.bus.holder import holder_of
from workers.robot.drivers import ArmGone, ArmRefused
from workers.robot.drivers.feetech import FeetechArm
from workers.robot.drivers.servos import Profile
from workers.robot.figures import JOINT_NAMES
from workers.robot.freeze import Frozen

EEPROM = range(5, 40)
POSE = (10.0, -40.0, 50.0, 20.0, -30.0, 35.0)


def test_opening_moves_nothing_and_leaves_the_torque() -> None:
    with emulated_bus() as emulated:
        before = emulated.state()
        arm = open_arm(emulated)
        after = emulated.state()
        assert not arm.found_stiff
        for key in ("torque", "goal"):
            assert before[key] == after[key]
        arm.set_torque(True)
        arm.close()
        arm = open_arm(emulated)
        assert arm.found_stiff
        assert emulated.state()["torque"] == [1] * 6
        arm.close()


def test_the_profile_is_written_once_and_survives_the_power_switch() -> None:
    with emulated_bus(state="assembled") as emulated:
        arm = open_arm(emulated)
        assert "gripper.P_Coefficient 32 -> 16" in arm.changed and len(arm.changed) > 10
        arm.close()
        emulated.power_cycle()
        for joint in JOINT_NAMES:
            table = emulated.registers(joint)
            gripper = joint == "gripper"
            assert (table[7], table[33], table[21], table[22], table[23]) == (0, 0, 16, 32, 0), joint
            assert table[55] == 1, "locked"
            expected = (500, 250, 25) if gripper else (1000, 500, 80)
            assert (table[16] | table[17] << 8, table[28] | table[29] << 8, table[36]) == expected, joint
        since_s = emulated.state()["time_s"]
        arm = open_arm(emulated)
        assert arm.changed == []
        arm.close()
        written = {(write["servo"], write["address"]) for write in emulated.writes(since_s)}
        assert not {each for each in written if each[1] in EEPROM}, "the EEPROM wears"


def test_a_profile_that_a_servo_does_not_take_is_refused_with_what_it_has() -> None:
    with emulated_bus(state="assembled") as emulated:
        emulated.script("lost", register=21, instruction=3, count=0)
        with pytest.raises(ArmRefused, match=r"P_Coefficient = 16, it stays 32"):
            open_arm(emulated)


def test_an_eeprom_that_lerobot_left_open_is_locked() -> None:
    with emulated_bus() as emulated:
        with opened(emulated) as bus:
            bus.write(3, 55, b"\0")
        open_arm(emulated).close()
        assert emulated.registers("elbow_flex")[55] == 1


def test_a_leader_keeps_its_gains() -> None:
    with arm_on_bus(LEADER) as (_, emulated):
        assert emulated.registers("gripper")[21] == 32


@pytest.mark.parametrize(
    ("plugged", "text"),
    [
        (JOINT_NAMES[:3], "the chain breaks after id 3"),
        (JOINT_NAMES[1:], "servos behind it answer"),
        ((), "supply is plugged in"),
    ],
)
def test_missing_servos_are_named_with_likely_causes(plugged: tuple[str, ...], text: str) -> None:
    with emulated_bus(plugged=plugged) as emulated, pytest.raises(ArmRefused, match=text):
        open_arm(emulated)


@pytest.mark.parametrize("number", [2, 77], ids=["that of another one", "nobody's"])
def test_a_servo_with_another_id_is_told_with_that_cause(number: int) -> None:
    with emulated_bus() as emulated:
        calibration = calibration_of(emulated)
        emulated.ask("store", joint="elbow_flex", register="ID", value=number)
        with pytest.raises(ArmRefused, match=r"id 3 \(elbow_flex\).*another id or baud rate.*scan-arm"):
            FeetechArm(emulated.port, calibration, "arm.json", FOLLOWER)


@pytest.mark.parametrize("ids", [(), (1, 2, 3, 4, 5, 6), (4,)], ids=["a request's", "all", "one"])
def test_a_noisy_line_is_told_as_that_and_not_as_missing_servos(ids: tuple[int, ...]) -> None:
    with emulated_bus() as emulated:
        emulated.script("noise", ids=ids, data="55", count=0)
        with pytest.raises(ArmRefused, match=r"noise on the line.*press every plug home") as refused:
            open_arm(emulated)
        assert "supply" not in str(refused.value)


@pytest.mark.parametrize(("usb_ms", "text"), [(16.0, "too slow to drive an arm by"), (60.0, "too late")])
def test_an_adapter_that_holds_bytes_back_is_told_from_a_missing_supply(usb_ms: float, text: str) -> None:
    with (
        emulated_bus(usb_ms=usb_ms) as emulated,
        pytest.raises(ArmRefused, match=f"{text}.*no latency timer to set: try another USB socket"),
    ):
        open_arm(emulated)


def test_an_adapter_of_one_millisecond_is_quick_enough() -> None:
    with emulated_bus(usb_ms=1.0) as emulated:
        arm = open_arm(emulated)
        assert arm.supply_v == 7.4
        arm.close()


def test_another_model_and_mixed_firmware_are_refused() -> None:
    models = (777, 777, 777, 777, 777, 1029)
    with emulated_bus(models=models) as emulated, pytest.raises(ArmRefused, match=r"id 6: 1029"):
        open_arm(emulated)
    versions = ((3, 10),) * 5 + ((3, 9),)
    with emulated_bus(firmware=versions) as emulated, pytest.raises(ArmRefused, match=r"id 6: 3\.9"):
        open_arm(emulated)


@pytest.mark.parametrize("volts", [5.8, 9.0, 10.0])
def test_a_wrong_supply_is_refused_before_any_torque(volts: float) -> None:
    with emulated_bus(volts=12.0 if volts > 8 else 7.4) as emulated:
        emulated.ask("supply", volts=volts)
        with pytest.raises(ArmRefused, match=rf"{volts:.1f} V.*no torque was switched on"):
            open_arm(emulated)
        assert emulated.state()["torque"] == [0] * 6


def test_a_supply_that_is_meant_is_taken() -> None:
    with emulated_bus() as emulated:
        emulated.ask("supply", volts=6.0)
        arm = open_arm(emulated, supply_v=6.0)
        assert arm.supply_v == 6.0
        arm.close()
        emulated.ask("supply", volts=7.4)
        with pytest.raises(ArmRefused, match="needs 12 V"):
            open_arm(emulated, supply_v=12.0)


def test_another_arm_on_the_port_is_refused_with_the_difference() -> None:
    with emulated_bus(seed=1) as one, emulated_bus(seed=2) as other:
        with pytest.raises(ArmRefused, match=r"shoulder_pan\.homing_offset: -?\d+ / -?\d+"):
            FeetechArm(one.port, calibration_of(other), "blue.json", FOLLOWER)
        assert one.state()["torque"] == [0] * 6


def test_swapped_ports_are_said_to_be_swapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    with emulated_bus(seed=1) as follower, emulated_bus(seed=2, leader=True) as leader:
        follower.write_calibration(tmp_path / "robots/so101_follower/blue.json")
        there = leader.write_calibration(tmp_path / "teleoperators/so_leader/red.json")
        config = altered({**REAL, "env.robot.port": leader.port, "env.robot.id": "blue"})
        with pytest.raises(ArmRefused) as refused:
            servo_arm_of(config)
        assert f"it is that of {there}. Are leader and follower swapped?" in str(refused.value)
        config = altered({"env.robot.port": follower.port}, config)
        arm = servo_arm_of(config)
        arm.close()


def test_what_was_written_through_faults_is_there_after_the_supply_was_off() -> None:
    """A servo whose unlocking was lost takes a value, and forgets it with its supply."""
    for seed in range(4):
        with emulated_bus(state="assembled") as emulated:
            calibration = calibration_of(emulated)
            emulated.rates(drop=0.02, corrupt=0.02, late=0.02, late_ms=30.0, lost=0.05, seed=seed)
            FeetechArm(emulated.port, calibration, "arm.json", FOLLOWER).close()
            emulated.clear()
            live = [emulated.registers(joint)[5:40] for joint in JOINT_NAMES]
            emulated.power_cycle()
            stored = [emulated.registers(joint) for joint in JOINT_NAMES]
            assert [table[5:40] for table in stored] == live
            assert {table[21] for table in stored} == {16}


def test_a_servo_without_its_own_guards_is_refused() -> None:
    with emulated_bus() as emulated:
        emulated.ask("store", joint="elbow_flex", register="UNLOADING", value=0)
        emulated.ask("store", joint="wrist_flex", register="MAX_TEMPERATURE", value=100)
        emulated.ask("store", joint="wrist_roll", register="MAX_VOLTAGE", value=255)
        with pytest.raises(ArmRefused) as refused:
            open_arm(emulated)
        assert "elbow_flex.Unloading_Condition = 0" in str(refused.value)
        assert "wrist_flex.Max_Temperature_Limit = 100" in str(refused.value)
        assert "wrist_roll.Max_Voltage_Limit = 255" in str(refused.value)


def test_the_caps_inside_the_servos_are_set() -> None:
    with arm_on_bus(Profile(speed_steps_s=1234)) as (_, emulated):
        for joint in JOINT_NAMES:
            table = emulated.registers(joint)
            assert table[46] | table[47] << 8 == 1234


def test_opening_comes_through_faults() -> None:
    for seed in range(3):
        with emulated_bus() as emulated:
            calibration = calibration_of(emulated)
            hold(emulated, POSE)
            emulated.rates(drop=0.02, corrupt=0.02, truncate=0.01, late=0.02, late_ms=30.0, seed=seed)
            arm = FeetechArm(emulated.port, calibration, "arm.json", FOLLOWER)
            emulated.clear()
            np.testing.assert_allclose(arm.read().joints_deg, emulated.state()["deg"], atol=0.5)
            arm.close()


def test_packets_that_are_wrong_and_pass_their_sum_refuse_no_arm_and_set_nothing_wrong() -> None:
    for seed in range(4):
        with emulated_bus() as emulated:
            calibration, before = calibration_of(emulated), [emulated.registers(j)[:40] for j in JOINT_NAMES]
            emulated.rates(forge=0.1, seed=seed)
            arm = FeetechArm(emulated.port, calibration, "arm.json", FOLLOWER)
            assert arm.supply_v == 7.4 and not arm.found_stiff
            arm.close()
            after = [emulated.registers(j)[:40] for j in JOINT_NAMES]
            assert [table[9:16] for table in after] == [table[9:16] for table in before]


def test_whoever_has_the_port_is_named() -> None:
    holding = (
        "import sys, time\nfrom workers.robot.bus import SerialPort\nport = SerialPort(sys.argv[1])\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    with emulated_bus() as emulated:
        holder = subprocess.Popen([sys.executable, "-c", holding, emulated.port], stdout=subprocess.PIPE)
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline()
            with pytest.raises(ArmGone, match=rf"in use by .*pid {holder.pid} \(.*python"):
                open_arm(emulated)
        finally:
            holder.kill()
            holder.wait()


STRANGER = """
import os, sys, time
if os.fork():
    os._exit(0)  # the rest is nobody's child
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def test_whoever_has_the_port_without_a_lock_is_named_too_and_the_guardian_takes_the_arm_all_the_same() -> (
    None
):
    with emulated_bus() as emulated:
        stranger = subprocess.Popen([sys.executable, "-c", STRANGER, emulated.port], stdout=subprocess.PIPE)
        assert stranger.stdout is not None
        pid = int(stranger.stdout.readline())
        try:
            with pytest.raises(ArmGone, match=rf"in use by pid {pid} \(.*python.*end that first"):
                open_arm(emulated)
            Frozen(emulated.port).close()
        finally:
            os.kill(pid, signal.SIGKILL)
            stranger.wait()
            stranger.stdout.close()
        wait_until_gone(pid)
        open_arm(emulated).close()


def wait_until_gone(pid: int) -> None:
    deadline_s = time.monotonic() + 5.0
    while time.monotonic() < deadline_s:
        try:
            os.readlink(f"/proc/{pid}/fd/0")
        except OSError:
            return
        time.sleep(0.01)


def test_what_this_process_started_is_no_stranger_and_unreadable_processes_are_passed_over(
    tmp_path: Path,
) -> None:
    device = tmp_path / "tty"
    device.touch()
    proc = tmp_path / "proc"
    own = os.getpid()
    for pid, parent in ((own, 40), (40, 1), (50, own), (60, 1), (70, 1)):
        fds = proc / str(pid) / "fd"
        fds.mkdir(parents=True)
        (fds / "5").symlink_to(device)
        (proc / str(pid) / "cmdline").write_bytes(b"program\0-x")
        (proc / str(pid) / "status").write_text(f"Name:\tprogram\nPPid:\t{parent}\n")
    (proc / "70/cmdline").unlink()
    assert holder_of(str(device), proc) == "pid 60 (program -x)"
    assert holder_of(str(device), proc, family=True).count("pid") == 3
    assert holder_of(str(device), tmp_path / "no proc here") == ""


def test_no_port_has_what_to_do() -> None:
    with emulated_bus() as emulated:
        calibration = calibration_of(emulated)
    with pytest.raises(ArmGone, match="find-port"):
        FeetechArm("/dev/ttyNoSuchArm", calibration, "arm.json", FOLLOWER)
