"""`hilserl-worker emulate-arm`: what a person types is done to the arm."""

import math
import os
import pty
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import scservo_sdk as sdk

from tests.emulator.host import opened, wait_until
from workers.emulate_commands import TYPED, Typed
from workers.emulator.arm import ArmOptions
from workers.emulator.machine import Machine
from workers.emulator.motion import Sweep

# the leader of a terminal's session, in whose background the command runs; what it prints is the command's pid
IN_BACKGROUND = """
import os, subprocess, sys
os.open(sys.argv[1], os.O_RDWR)
command = [sys.executable, "-m", "workers.cli", "emulate-arm", "--port", sys.argv[2]]
with open(sys.argv[1]) as terminal:
    job = subprocess.Popen(command, stdin=terminal, process_group=0)
sys.stdin.read()
job.kill()
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(ArmOptions(), tmp_path / "port")


def test_a_joint_is_taken_by_hand(machine: Machine) -> None:
    assert Typed(machine).answer(b"wrist_roll 40 0") == b"done\n"
    machine.arm.advance(machine.arm._now_s + 0.1)
    assert machine.arm.public_of(4) == pytest.approx(40.0)


def test_letting_go_leaves_it_to_the_motors(machine: Machine) -> None:
    typed = Typed(machine)
    typed.answer(b"elbow_flex 10")
    assert machine.arm.joint("elbow_flex").hand is not None
    typed.answer(b"let go")
    assert machine.arm.joint("elbow_flex").hand is None


def test_only_the_named_servo_is_plugged_in(machine: Machine) -> None:
    typed = Typed(machine)
    typed.answer(b"plug wrist_flex")
    assert [servo.id for servo in machine.arm.on_chain()] == [4]
    typed.answer(b"plug all")
    assert len(machine.arm.on_chain()) == 6


@pytest.mark.parametrize("line", [b"elbow_flex", b"elbow_flex up", b"dance", b"plug", b"stick nose"])
def test_what_cannot_be_done_is_answered_with_what_can(machine: Machine, line: bytes) -> None:
    assert Typed(machine).answer(line) == TYPED.encode()


def test_a_sweep_reaches_both_ends_and_comes_back() -> None:
    sweep = Sweep(start=5.0, low=-10.0, high=20.0, start_s=100.0, leg_s=2.0)
    assert [sweep.at(at) for at in (99.0, 100.0, 102.0, 104.0, 106.0, 200.0)] == [
        5.0,
        5.0,
        -10.0,
        20.0,
        5.0,
        5.0,
    ]
    steps = [sweep.at(100.0 + 0.01 * step) for step in range(700)]
    assert max(math.fabs(b - a) for a, b in pairwise(steps)) < 0.2


def test_in_a_shells_background_it_is_not_stopped_by_what_is_typed(tmp_path: Path) -> None:
    """A background job that reads its terminal is stopped by the kernel: the arm would fall silent."""
    keyboard, terminal = pty.openpty()
    path = tmp_path / "port"
    shell = subprocess.Popen(
        [sys.executable, "-c", IN_BACKGROUND, os.ttyname(terminal), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        wait_until(path.exists, 30.0)
        os.write(keyboard, b"typed for somebody else\n")
        with opened(SimpleNamespace(port=str(path))) as host:
            for _ in range(10):
                assert host.packets.ping(host.port, 1)[1] == sdk.COMM_SUCCESS
                time.sleep(0.05)
    finally:
        shell.communicate(timeout=10.0)
        os.close(keyboard)
        os.close(terminal)
