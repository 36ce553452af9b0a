"""Opening the robot worker's arm: the simulator's, or the servos' on a bus."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from workers.config import Config
from workers.model.events import Level, LogLine
from workers.robot.board import Board
from workers.robot.body import Body, SimulatedBody
from workers.robot.bus.latency import latency_warning
from workers.robot.drivers import ArmGone, ArmRefused
from workers.robot.drivers.feetech import FeetechArm
from workers.robot.figures import GRIPPER
from workers.robot.gate import Limits, ToolPosition
from workers.robot.health import Thresholds
from workers.robot.lifeline import Lifeline
from workers.robot.servo_body import STILL_POWERED, ServoBody
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.words import logged

AGAIN_S = 0.2  # between two tries to open a port that is gone


def body_of(desk: Desk, config: Config, board: Board, limits: Limits, tool: ToolPosition) -> Body:
    """The body of the configured arm, its torque on. Raises WorkerFailure."""
    if config.simulated:
        from workers.robot.drivers.sim import SimArm  # brings MuJoCo

        env = config.env
        arm = SimArm(np.array(env.reset_pose), env.task, env.simulation.object_area, env.simulation.reward)
        return SimulatedBody(arm, config, limits, tool)
    return _servo_body(desk, config, board, limits)


def thresholds_of(config: Config, limits: Limits) -> Thresholds:
    """What the health of the configured arm is judged by."""
    robot = config.env.arm
    safety, servo = robot.safety, robot.servo
    return Thresholds(
        push=Thresholds.pushes(limits.lead_deg),
        stall_load_pct=safety.stall_load_pct,
        warn_c=safety.warn_temperature_c,
        derate_c=safety.derate_temperature_c,
        park_c=safety.park_temperature_c,
        caps_pct=np.array([servo.torque_limit_pct] * GRIPPER + [servo.gripper_torque_pct]),
    )


def _servo_body(desk: Desk, config: Config, board: Board, limits: Limits) -> ServoBody:
    def say(level: Level, text: str) -> None:
        # A station that was killed reads no mail: how the arm was left is then in the worker's own log.
        now_s = time.time()
        sys.stderr.write(logged(level.value, text, now_s) + "\n")
        desk.mailbox.emit(LogLine(desk.name, level, text, now_s))

    lifeline = Lifeline(board)
    guarded = lifeline.take_over(desk.alive)
    predecessor = "the robot worker was started again" if desk.restarts else ""
    if guarded:
        predecessor = "the robot worker died; the guardian kept the arm where it was"
    arm = _opened(desk, config, lambda text: say(Level.WARNING, text))
    if slow := latency_warning(config.env.arm.port or "") or arm.slow:
        say(Level.WARNING, slow)
    if arm.changed:
        say(Level.INFO, f"settings written to the servos: {'; '.join(arm.changed)}")
    thresholds = replace(thresholds_of(config, limits), nominal_v=arm.supply_v)
    try:
        body = ServoBody(
            arm,
            config,
            limits,
            board,
            lifeline,
            thresholds,
            say,
            predecessor,
            arm.found_stiff and not guarded,
        )
        body.take_hold()
    except ArmGone as gone:
        raise WorkerFailure(str(gone)) from gone
    return body


def _opened(desk: Desk, config: Config, tell: Callable[[str], None]) -> FeetechArm:
    """The arm on its port; a worker that was started again waits for a port that is gone. Raises WorkerFailure."""
    from workers.robot.build import servo_arm_of

    told = False
    while True:
        try:
            return servo_arm_of(config, again=bool(desk.restarts))
        except ArmRefused as refused:
            raise WorkerFailure(str(refused)) from refused
        except ArmGone as gone:
            if not desk.restarts or not desk.alive():
                raise WorkerFailure(str(gone)) from gone
            if not told:
                tell(f"{str(gone).split('. ')[0]}; {STILL_POWERED}. Waiting for it")
            told = True
            time.sleep(AGAIN_S)
