"""`hilserl-worker emulate-arm`: the hardware path without an arm."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from workers.emulator.arm import JOINTS, ArmOptions
from workers.emulator.faults import Rates
from workers.emulator.machine import Machine, serve
from workers.emulator.motion import Sweep

TYPED = """
Type, while it runs, what a person would do:
  elbow_flex 30       take a joint by hand to 30 degrees (gripper: percent), within a second; or: elbow_flex 30 5
  let go              take the hands off
  sweep               move every joint by hand through its travel, as calibration asks
  plug elbow_flex     put only this servo on the chain, as set-up asks; plug all makes the chain whole
  stick elbow_flex    something blocks it; again to free it
  unplug, replug      the USB plug
  power               supply off and on
"""


class Typed:
    """What is typed at the emulator: a person's hands."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self._arm = machine, machine.arm
        self._does: dict[str, Callable[[list[str]], None]] = {
            "let": self._let_go,
            "sweep": self._sweep,
            "plug": self._plug,
            "stick": self._stick,
            "unplug": lambda _: machine.unplug(),
            "replug": lambda _: machine.port.plug(),
            "power": lambda _: machine.arm.power_cycle(),
        }

    def answer(self, line: bytes) -> bytes:
        """Do what a line says; the answer says what was done, or what can be typed."""
        words = line.decode(errors="replace").split()
        if not words:
            return b""
        try:
            if words[0] in JOINTS:
                self._take(words[0], *(float(word) for word in words[1:]))
            else:
                self._does[words[0]](words[1:])
        except (LookupError, TypeError, ValueError):
            return TYPED.encode()
        return b"done\n"

    def _take(self, joint: str, value: float, over_s: float = 1.0) -> None:
        self._arm.advance(time.monotonic())
        self._arm.hold_by_hand(joint, value, over_s)

    def _let_go(self, _: list[str]) -> None:
        for joint in self._arm.joints:
            joint.hand = None

    def _sweep(self, _: list[str]) -> None:
        self._arm.advance(time.monotonic())
        for joint in self._arm.joints:
            joint.hand = Sweep(joint.angle, joint.low, joint.high, time.monotonic())

    def _plug(self, words: list[str]) -> None:
        chosen = set(JOINTS) if words == ["all"] else {words[0]}
        for joint in chosen - self._arm.plugged:
            self._arm.joint(joint).reboot()
        self._arm.plugged = chosen

    def _stick(self, words: list[str]) -> None:
        joint = self._arm.joint(words[0])
        joint.stuck = not joint.stuck


def emulate_arm(
    arm: Annotated[str, typer.Option(help="'so101' or 'so100'.")] = "so101",
    port: Annotated[Path, typer.Option(help="Path of the serial port to make.")] = Path("ttyARM0"),
    leader: Annotated[
        bool, typer.Option("--leader", help="Be a leader arm: torque off, moved by hand.")
    ] = False,
    factory: Annotated[
        bool, typer.Option("--factory", help="Be new servos, with random ids and baud rates.")
    ] = False,
    uncalibrated: Annotated[
        bool, typer.Option("--uncalibrated", help="Be an arm whose ids are set but which is not calibrated.")
    ] = False,
    voltage: Annotated[float, typer.Option(help="Supply voltage: 7.4 or 12.", min=4.0, max=14.0)] = 7.4,
    fault_rate: Annotated[
        float,
        typer.Option(help="Share of replies that are lost, corrupted, late or cut short.", min=0.0, max=0.5),
    ] = 0.0,
    usb_ms: Annotated[
        float,
        typer.Option(
            help="Milliseconds for which the USB adapter holds every reply back; FTDI's do so for 16.",
            min=0.0,
            max=100.0,
        ),
    ] = 0.0,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Write the matching LeRobot calibration file here, FOLDER/ID.json.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the encoders' positions and of the faults.")] = 0,
) -> None:
    """Emulate an SO-100 or SO-101 on a serial port: six Feetech servos, byte for byte, until Ctrl-C.

    It is for trying the tools and drivers without an arm; its motion is only rough.
    """
    if arm not in ("so101", "so100"):
        raise typer.BadParameter(f"'{arm}': it can be 'so101' or 'so100'", param_hint="--arm")
    state = "random" if factory else "assembled" if uncalibrated else "calibrated"
    options = ArmOptions(
        arm=arm,
        state=state,
        leader=leader,
        volts=voltage,
        seed=seed,
        plugged=("gripper",) if factory else None,
    )
    if port.exists() and not port.is_symlink():
        raise typer.BadParameter(f"{port} exists and is no link: it would be replaced", param_hint="--port")
    try:
        machine = Machine(options, port.absolute(), usb_ms / 1000)
        if calibration is not None:
            calibration.parent.mkdir(parents=True, exist_ok=True)
            calibration.write_text(json.dumps(machine.arm.calibration(), indent=4) + "\n")
    except OSError as error:
        typer.echo(f"the port cannot be made: {error}. Choose another place with --port", err=True)
        raise typer.Exit(1) from error
    each = fault_rate / 4
    machine.faults.rates(Rates(drop=each, corrupt=each, late=each, truncate=each, seed=seed))
    _introduce(machine, options, port, calibration)
    going = True

    def end(*_: object) -> None:
        nonlocal going
        going = False

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        serve(
            machine,
            Typed(machine),
            sys.stdin.fileno(),
            sys.stdout.fileno(),
            lambda: going,
            ends_with_input=False,
        )
    finally:
        machine.unplug()
    typer.echo(f"gone: {machine.bus.requests} requests answered")


def _introduce(machine: Machine, options: ArmOptions, port: Path, calibration: Path | None) -> None:
    role = "leader" if options.leader else "follower"
    table = "env.teleop" if options.leader else "env.robot"
    typer.echo(f"emulated {options.arm} {role}, {options.volts:g} V, on {port} (pid {os.getpid()})")
    typer.echo(f"\n[{table}]\nport = {json.dumps(str(port.absolute()))}")
    if calibration is not None:
        typer.echo(
            f'id = "{calibration.stem}"\ncalibration_dir = {json.dumps(str(calibration.absolute().parent))}'
        )
    if options.state == "random":
        typer.echo("\nIds and speeds are at random, and only the gripper's servo is plugged in.")
    typer.echo(f"{TYPED}\nCtrl-C ends it.")
