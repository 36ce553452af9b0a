"""What `hilserl-tui arm` is opened on: the arms of a configuration, or a port."""

from pathlib import Path

import typer

from hilserl_tui.arm_tools import Target
from workers.config import EXIT_CODE, ConfigError, load


def open_arm(config: Path | None, port: str, arm_id: str) -> None:
    """Open the Arm screen. Raises typer.Exit where the configuration is wrong."""
    follower, leader = Target(port, arm_id), None
    if config is not None:
        try:
            follower, leader = targets(config)
        except ConfigError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(EXIT_CODE) from error
    from hilserl_tui.arm_app import run

    run(follower, leader)


def targets(path: Path) -> tuple[Target, Target | None]:
    """Follower and leader of a configuration. Raises ConfigError."""
    env = load(path).env
    robot, teleop = env.robot, env.teleop
    follower = Target()
    if robot is not None:
        kind = robot.type.partition("_")[0]
        follower = Target(robot.port or "", robot.id or "", False, kind, robot.calibration_dir or "")
    if not teleop.is_leader:
        return follower, None
    kind = teleop.type.partition("_")[0]
    return follower, Target(teleop.port or "", teleop.id or "", True, kind, teleop.calibration_dir or "")
