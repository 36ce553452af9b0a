"""hilserl-worker compare-arms: whether leader and follower say the same angles in the same pose."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from workers.arm_commands import (
    DRAWN_APART_S,
    DRAWN_S,
    EXIT_FAULTY,
    ask,
    bus_on,
    leaving,
    refuse,
    typed_within,
)
from workers.runtime.terminal import IN_PANE, Picture

if TYPE_CHECKING:
    from workers.robot.calibrating import Standing
    from workers.robot.compare import Comparison

_LOOK_S = 0.1
_TEXT = """
Bring both arms into the same pose, best with every joint on the same stop, and both grippers closed.
The middle of a joint's travel tells nothing about which way round it runs. Enter when both stand alike.
"""


def compare_arms(
    port: Annotated[str, typer.Option(help="Serial port of the follower.", show_default=False)],
    arm_id: Annotated[
        str, typer.Option("--id", help="Name of the follower's calibration.", show_default=False)
    ],
    leader_port: Annotated[str, typer.Option(help="Serial port of the leader.", show_default=False)],
    leader_id: Annotated[str, typer.Option(help="Name of the leader's calibration.", show_default=False)],
    calibration_dir: Annotated[
        str | None, typer.Option(help="Folder of the follower's file; default LeRobot's.", show_default=False)
    ] = None,
    leader_calibration_dir: Annotated[
        str | None, typer.Option(help="Folder of the leader's file; default LeRobot's.", show_default=False)
    ] = None,
) -> None:
    """Hold leader and follower in the same pose: joints that say angles more than 2 degrees apart are named.

    Exit code 1 when there are such joints: that arm has to be calibrated again. Nothing is written but torque off.
    """
    from workers.robot.compare import Comparison

    if os.path.realpath(port) == os.path.realpath(leader_port):  # also by two names of it
        refuse(f"{leader_port} is the follower's port too; `hilserl-worker find-port` tells which is which")
    with (
        leaving("broken off; nothing was compared"),
        _arm("follower", port, arm_id, calibration_dir) as follower,
        _arm("leader", leader_port, leader_id, leader_calibration_dir) as leader,
    ):
        stiff = [arm.what for arm in (follower, leader) if arm.is_stiff]
        if stiff:
            ask(f"The torque of the {' and the '.join(stiff)} goes off now. Hold it, then press Enter.")
        for arm in (follower, leader):
            arm.relax()
        typer.echo(_TEXT)
        comparison = Comparison(follower.calibration, leader.calibration)
        _until_told(follower, leader, comparison)
    _tell(comparison)


@contextlib.contextmanager
def _arm(role: str, port: str, arm_id: str, folder: str | None) -> "Iterator[Standing]":
    """The arm on a port, with the calibration that it must hold."""
    from workers.robot.calibrating import Standing
    from workers.robot.calibration import CalibrationError, calibration_path, load_calibration

    path = calibration_path(arm_id, role == "leader", folder)
    try:
        calibration = load_calibration(path)
    except CalibrationError as error:
        refuse(str(error))
    with bus_on(port) as bus:
        yield Standing(bus, f"{role} arm on {port}", calibration, str(path))


def _until_told(follower: "Standing", leader: "Standing", comparison: "Comparison") -> None:
    """Look at both until Enter, pressed while they rest."""
    picture, drawn_s = Picture(), -DRAWN_APART_S
    every_s = DRAWN_S if sys.stdout.isatty() or IN_PANE else DRAWN_APART_S
    while True:
        counts = follower.look(), leader.look()
        if counts[0] is not None and counts[1] is not None:
            comparison.see(counts[0], counts[1])
        if time.monotonic() - drawn_s >= every_s:
            picture.draw(comparison_table(comparison))
            drawn_s = time.monotonic()
        if not typed_within(_LOOK_S):
            continue
        if not (moving := comparison.moving()):
            picture.draw(comparison_table(comparison))
            return
        typer.echo(f"\n{moving}\n")
        picture = Picture()


def comparison_table(comparison: "Comparison") -> str:
    """Both arms' joints beside each other."""
    lines = ["joint            follower    leader     apart"]
    for row in comparison.rows():
        state = "alike" if row.alike else "NOT ALIKE"
        lines.append(f"{row.name:<15} {row.follower:>9.1f} {row.leader:>9.1f} {row.apart:>9.1f}  {state}")
    return "\n".join(lines)


def _tell(comparison: "Comparison") -> None:
    problems = comparison.problems()
    if problems:
        typer.echo("\n" + "\n".join(f"- {text}" for text in problems))
        typer.echo(
            "\nthe calibrations do not go together. Where the poses were the same, calibrate the arm that is named "
            "again: hilserl-worker calibrate (--leader)"
        )
        raise typer.Exit(EXIT_FAULTY)
    near = comparison.unproven()
    if near:
        typer.echo(
            f"\nalike; but {', '.join(near)} stood near the middle, where a joint that runs the wrong way round says "
            "the same. Compare once more with it turned away"
        )
        return
    typer.echo("\nalike: the calibrations go together")
