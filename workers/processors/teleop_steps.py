"""The first steps of the action pipeline: what the person's device and the arm say joins the command."""

from workers.processors.features import ACTION, INTERVENTION, Features, scalar, vector
from workers.processors.transition import Command, Judgement, Period
from workers.robot.drivers import ArmReading
from workers.robot.figures import JOINT_NAMES

_EVENTS = ("success", "failure", "rerecord_episode", "terminate_episode")


class AddTeleopActionAsComplimentaryData:
    """`complementary_data["teleop_action"]`: the person's action [motion (+ 1)], where there is one."""

    def reset(self, reading: ArmReading | None) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        return {**features, "complementary_data.teleop_action": features[ACTION]}

    def __call__(self, command: Command, period: Period) -> None:
        if command.teleop is not None and command.teleop.action is not None:
            command.complementary_data["teleop_action"] = command.teleop.action


class AddTeleopEventsAsInfo:
    """`info`: `is_intervention`, and the person's verdict as LeRobot's events.

    `success`, `failure` and `rerecord_episode` are the three keys; `terminate_episode` is true for all of them.
    """

    def reset(self, reading: ArmReading | None) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        return {
            **features,
            INTERVENTION: scalar("bool"),
            **{f"info.{event}": scalar("bool") for event in _EVENTS},
        }

    def __call__(self, command: Command, period: Period) -> None:
        judgement = None if command.teleop is None else command.teleop.judgement
        command.info["is_intervention"] = command.teleop is not None and command.teleop.action is not None
        command.info["success"] = judgement is Judgement.SUCCESS
        command.info["failure"] = judgement is Judgement.FAILURE
        command.info["rerecord_episode"] = judgement is Judgement.RERECORD
        command.info["terminate_episode"] = judgement is not None


class AddRobotObservationAsComplimentaryData:
    """`complementary_data["raw_joint_positions"]`: the measured joints [6] that kinematics start from."""

    def reset(self, reading: ArmReading | None) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        joints = tuple(f"{joint}.pos" for joint in JOINT_NAMES)
        return {**features, "complementary_data.raw_joint_positions": vector("float64", joints)}

    def __call__(self, command: Command, period: Period) -> None:
        if command.reading is not None:
            command.complementary_data["raw_joint_positions"] = command.reading.joints_deg
