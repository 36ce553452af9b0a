"""hilserl-worker: tools for a real arm's servos, in a terminal: find-port, scan-arm, setup-motors, calibrate."""

import json
import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from workers.runtime.terminal import IN_PANE, Line, Picture

if TYPE_CHECKING:
    from workers.robot.bus import Bus
    from workers.robot.calibrate import Sweep
    from workers.robot.calibrating import Calibrating
    from workers.robot.calibration import Calibration
    from workers.robot.motor_setup import MotorSetup
    from workers.robot.scan import Found

EXIT_FAULTY = 1
EXIT_REFUSED = 2
PLUG_S = 120.0  # how long find-port waits for a plug
LOOK_S = 0.2
SWEEP_S = 0.03
DRAWN_S = 0.1
DRAWN_APART_S = 2.0  # without a terminal every picture is new lines

Port = Annotated[
    str,
    typer.Option(help="Serial port of the arm, such as /dev/ttyACM0; `find-port` tells.", show_default=False),
]


def find_port(
    list_only: Annotated[bool, typer.Option("--list", help="List the ports and end.")] = False,
) -> None:
    """Tell which serial port an arm is on: pull its USB plug, and put it back."""
    from workers.robot.ports import PlugWatch, serial_ports

    ports = serial_ports()
    for port in ports:
        slow = f"   answers late: latency timer {port.latency_ms} ms" if (port.latency_ms or 0) > 4 else ""
        typer.echo(f"{port.device:<16} {port.lasting}{slow}")
    if not ports:
        typer.echo("no serial port: is the arm's USB cable in? A cable that only charges will not do")
    if list_only:
        raise typer.Exit(0 if ports else EXIT_FAULTY)
    typer.echo("\nPull the USB plug of the arm you want to know (or plug it in now, and pull it then).")
    watch, line, until_s = PlugWatch(ports), Line(), time.monotonic() + PLUG_S
    with leaving("nothing was found"):
        while watch.back is None:
            left_s = until_s - time.monotonic()
            if left_s <= 0.0:
                typer.echo(
                    "\nno plug was pulled" if watch.pulled is None else "\nit was not put back", err=True
                )
                raise typer.Exit(EXIT_FAULTY)
            if watch.several:
                line.show(
                    f"several plugs are gone ({', '.join(watch.several)}): put them back, then pull one"
                )
            elif watch.pulled is None:
                line.show(f"waiting for a plug to be pulled, {left_s:.0f} s")
            else:
                line.show(f"that was {watch.pulled.best}: now put it back, {left_s:.0f} s")
            time.sleep(LOOK_S)
            watch.look(serial_ports())
    typer.echo(f"\n\nport = {json.dumps(watch.back.best)}")
    if not watch.back.lasting:
        typer.echo("It has no lasting name here: another order of plugs changes this one.")


def scan_arm(
    port: Port,
    every_id: Annotated[
        bool, typer.Option("--every-id", help="Ask all 254 ids one by one too; a minute longer.")
    ] = False,
) -> None:
    """List every servo on a port: id, baud rate, model, firmware, voltage, and what is wrong. Writes nothing.

    Exit code 1 when this is no whole arm.
    """
    from workers.robot.bus.latency import latency_warning
    from workers.robot.scan import Found, scan, verdict

    line, found = Line(), list[Found]()
    with leaving("the scan was broken off"), bus_on(port) as bus:
        for each in scan(bus, every_id):
            if isinstance(each, Found):
                found.append(each)
            else:
                line.show(
                    f"{each.baud:>7} baud, {each.done} of {each.total} steps, {len(found)} servos so far"
                )
    typer.echo("\n\n" + SERVO_HEAD)
    for servo in found:
        typer.echo(servo_line(servo))
    wrong = verdict(found)
    wrong += [slow] if (slow := latency_warning(port)) else []
    typer.echo(
        "\n" + ("\n".join(f"- {text}" for text in wrong) if wrong else "a whole arm, nothing is wrong")
    )
    raise typer.Exit(EXIT_FAULTY if wrong else 0)


def setup_motors(
    port: Port,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="JOINT", help="Begin with this joint; those before it are done."),
    ] = None,
) -> None:
    """Give six servos their ids at 1 Mbaud, one plugged in at a time, gripper first. Run it again after a break.

    Never gives an id that is on the bus already. A chain that is half done is seen when it is plugged in at the start.
    """
    from workers.robot.bus import BusError
    from workers.robot.motor_setup import ORDER, MotorSetup, SetupFailed, joint_of

    names = [joint_of(each) for each in ORDER]
    if first is not None and first not in names:
        raise typer.BadParameter(f"'{first}': it can be {', '.join(names)}", param_hint="--from")
    setup = MotorSetup(set() if first is None else set(ORDER[: names.index(first)]))
    with leaving("broken off; what has its id keeps it, run it again to go on"), bus_on(port) as bus:
        if first is None:
            setup.resume(_look_around(bus))
        for servo_id in sorted(setup.done, reverse=True):
            typer.echo(f"{joint_of(servo_id)} has id {servo_id}")
        while setup.next_id is not None:
            try:
                _one_servo(bus, setup)
            except (SetupFailed, BusError) as error:
                if isinstance(error, BusError) and not Path(port).exists():
                    raise
                typer.echo(f"  {error}")
        _check_chain(bus, setup)


def _look_around(bus: "Bus") -> "list[Found]":
    from workers.robot.motor_setup import find_all

    line = Line()
    found = find_all(bus, line.show)
    typer.echo("")
    return found


def _one_servo(bus: "Bus", setup: "MotorSetup") -> None:
    """Ask for a servo and give it its id, or say why not."""
    from workers.robot.motor_setup import Verdict, give_id, joint_of

    wanted = setup.next_id
    assert wanted is not None
    typed = ask(f"\n{setup.prompt}")
    judgement = setup.judge(_look_around(bus))
    typer.echo(f"  {judgement.text}")
    if judgement.verdict is Verdict.DONE_BEFORE:
        typed = ask("  f and Enter, or another servo and Enter:")
    may = judgement.verdict is Verdict.NEW or (judgement.verdict is Verdict.DONE_BEFORE and typed == "f")
    if may and judgement.servo is not None:
        give_id(bus, judgement.servo, wanted)
    if may or judgement.verdict is Verdict.READY:
        setup.finish(wanted)
        typer.echo(f"  {joint_of(wanted)} has id {wanted}")


def _check_chain(bus: "Bus", setup: "MotorSetup") -> None:
    from workers.robot.motor_setup import whole_chain

    while True:
        ask(f"\n{setup.prompt}")
        typer.echo(SERVO_HEAD)
        wrong = whole_chain(bus, lambda servo: typer.echo(servo_line(servo)))
        if not wrong:
            typer.echo("\nall six answer. Next: hilserl-worker calibrate")
            return
        typer.echo("\n".join(f"- {text}" for text in wrong))


def calibrate(
    port: Port,
    arm_id: Annotated[
        str, typer.Option("--id", help="Name of the arm: that of its calibration file.", show_default=False)
    ],
    leader: Annotated[bool, typer.Option("--leader", help="It is a leader arm, not a follower.")] = False,
    arm: Annotated[str, typer.Option(help="'so101' or 'so100'.")] = "so101",
    calibration_dir: Annotated[
        str | None, typer.Option(help="Folder of the file; without it, LeRobot's own.", show_default=False)
    ] = None,
    from_file: Annotated[
        bool, typer.Option("--from-file", help="No sweep: write what the file says to the servos.")
    ] = False,
) -> None:
    """Move every joint to both of its stops; offsets and ranges follow from that, for the servos and LeRobot's file.

    Begins in any pose. Until it is done, nothing is written; the file that was there is kept beside the new one.
    """
    from workers.robot.arm_model import builtin_model
    from workers.robot.arms import arm_of
    from workers.robot.calibrate import least_counts
    from workers.robot.calibrating import Calibrating
    from workers.robot.calibration import CalibrationError, calibration_path, load_calibration

    if arm not in ("so101", "so100"):
        raise typer.BadParameter(f"'{arm}': it can be 'so101' or 'so100'", param_hint="--arm")
    path = calibration_path(arm_id, leader, calibration_dir)
    what = f"{'leader' if leader else 'follower'} arm on {port}"
    with leaving("broken off; the calibration is the one from before"), bus_on(port) as bus:
        try:
            calibration = load_calibration(path) if from_file else None
        except CalibrationError as error:
            refuse(str(error))
        work = Calibrating(bus, what, least_counts(builtin_model(arm_of(arm)).joints))
        if work.is_stiff:
            ask("The torque goes off now. Hold the arm, then press Enter.")
        work.relax()
        if calibration is None:
            calibration = _swept(work)
        work.write(calibration)
        if not from_file:
            _save(path, calibration)
    table = "env.teleop" if leader else "env.robot"
    typer.echo(
        f"\nthe servos hold it, and so does {path}\n\n[{table}]\nport = {json.dumps(port)}\nid = {json.dumps(arm_id)}"
    )
    if calibration_dir is not None:
        typer.echo(f"calibration_dir = {json.dumps(calibration_dir)}")


def _swept(work: "Calibrating") -> "Calibration":
    """The calibration from a sweep by hand, which Enter ends."""
    typer.echo("Move every joint to both of its stops, in any order. Enter when all are done.\n")
    sweep, picture, drawn_s = work.begin(), Picture(), -DRAWN_APART_S
    every_s = DRAWN_S if sys.stdout.isatty() or IN_PANE else DRAWN_APART_S
    while True:
        work.look(sweep)
        if time.monotonic() - drawn_s >= every_s:
            picture.draw(sweep_table(sweep))
            drawn_s = time.monotonic()
        if not typed_within(SWEEP_S):
            continue
        picture.draw(sweep_table(sweep))
        problems = sweep.problems()
        if not problems:
            return sweep.calibration()
        typer.echo("\n" + "\n".join(f"- {text}" for text in problems) + "\n")
        sweep.forget_faulty()
        picture = Picture()


def _save(path: Path, calibration: "Calibration") -> None:
    from workers.robot.calibration import save_calibration

    try:
        if path.is_file():
            os.replace(path, path.with_suffix(".json.old"))
            typer.echo(f"the file from before is {path.with_suffix('.json.old')}")
        save_calibration(path, calibration)
    except OSError as error:
        refuse(
            f"the servos hold the new calibration, but {path} cannot be written ({error.strerror}): calibrate again "
            "with another --calibration-dir"
        )


SERVO_HEAD = " id    baud model firmware volts deg C position offset"
"""Of 57 columns at most, as has every table here: more is not beside the steps of a console of 80."""


def servo_line(servo: "Found") -> str:
    """One servo of a scan."""
    if servo.unreadable:
        return f"{servo.servo_id:>3} {servo.baud:>7} {servo.unreadable}"
    return (
        f"{servo.servo_id:>3} {servo.baud:>7} {servo.model:>5} {servo.firmware:>8} {servo.voltage_v:>5.1f} "
        f"{servo.temperature_c:>5} {servo.position:>8} {servo.homing_offset:>6} {servo.errors}"
    ).rstrip()


def sweep_table(sweep: "Sweep") -> str:
    """The joints of a sweep: how far each has come, and what is missing."""
    lines = ["joint         least  here greatest travel"]
    for row in sweep.rows():
        state = "again: was silent" if row.lost else "ok" if row.enough else "to both stops"
        lines.append(
            f"{row.name:<13} {row.least:>5} {row.here:>5} {row.greatest:>8} {row.travel_deg:>5.0f}°  {state}"
        )
    return "\n".join(lines)


def ask(text: str) -> str:
    """What is typed before Enter. Raises KeyboardInterrupt at the end of standard input."""
    typer.echo(text)
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip().lower()


def typed_within(seconds: float) -> bool:
    """Whether Enter was pressed. Raises KeyboardInterrupt at the end of standard input."""
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return False
    if not sys.stdin.readline():
        raise KeyboardInterrupt
    return True


@contextmanager
def bus_on(port: str) -> "Iterator[Bus]":
    """The bus on a port, closed afterwards."""
    from workers.robot.bus import Bus, SerialPort

    serial = SerialPort(port)
    try:
        yield Bus(serial)
    finally:
        serial.close()


@contextmanager
def leaving(broken_off: str) -> Iterator[None]:
    """Errors of the bus and the arm as a text and an exit code; Ctrl-C says `broken_off`."""
    from workers.robot.bus import BusError
    from workers.robot.drivers import ArmGone

    try:
        yield
    except (BusError, ArmGone) as error:
        refuse(str(error))
    except KeyboardInterrupt:
        typer.echo(f"\n{broken_off}", err=True)
        raise typer.Exit(EXIT_REFUSED) from None


def refuse(text: str) -> NoReturn:
    typer.echo(f"\n{text}", err=True)
    raise typer.Exit(EXIT_REFUSED)
