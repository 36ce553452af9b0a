"""`hilserl-worker emulate-arm`: the hardware path without an arm."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from workers.emulator.arm import JOINTS, ArmOptions
from workers.emulator.faults import Rates
from workers.emulator.machine import Machine, serve


class Plugs:
    """One servo on the chain at a time: the one whose joint was typed last."""

    def __init__(self, machine: Machine) -> None:
        self._arm = machine.arm

    def answer(self, line: bytes) -> bytes:
        """The name of a joint plugs its servo in place of the present one; `all` makes the chain whole."""
        wanted = line.decode(errors="replace").strip()
        if wanted not in (*JOINTS, "all"):
            return f"joints are {', '.join(JOINTS)}, or all\n".encode()
        chosen = set(JOINTS) if wanted == "all" else {wanted}
        for joint in chosen - self._arm.plugged:
            self._arm.joint(joint).reboot()
        self._arm.plugged = chosen
        return f"plugged in: {wanted}\n".encode()


def emulate_arm(
    arm: Annotated[str, typer.Option(help="'so101' or 'so100'.")] = "so101",
    port: Annotated[Path, typer.Option(help="Path of the port that appears.")] = Path("ttyARM0"),
    leader: Annotated[
        bool, typer.Option("--leader", help="A leader arm: torque off, moved by hand.")
    ] = False,
    factory: Annotated[
        bool, typer.Option("--factory", help="Servos as out of their bags, with ids and speeds at random.")
    ] = False,
    uncalibrated: Annotated[
        bool, typer.Option("--uncalibrated", help="Ids are set, calibration is not.")
    ] = False,
    voltage: Annotated[float, typer.Option(help="Supply in volts: 7.4 or 12.", min=4.0, max=14.0)] = 7.4,
    fault_rate: Annotated[
        float,
        typer.Option(help="Share of replies that are lost, corrupted, late or cut short.", min=0.0, max=0.5),
    ] = 0.0,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Write the matching LeRobot calibration file here, FOLDER/ID.json.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of where the encoders sit, and of the faults.")] = 0,
) -> None:
    """Pretend to be an SO-100/SO-101 on a serial port: six Feetech servos, byte for byte, until Ctrl-C.

    For trying the hardware path without an arm, and for nothing else: its motion is rough.
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
        machine = Machine(options, port.absolute())
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
        plugs = Plugs(machine) if factory and sys.stdin.isatty() else None
        serve(machine, plugs, sys.stdin.fileno(), sys.stdout.fileno(), lambda: going)
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
        typer.echo("\nids and speeds are at random, and only the gripper's servo is plugged in:")
        typer.echo("type the name of a joint to plug in its servo instead, all to make the chain whole")
    typer.echo("\nCtrl-C ends it.")
