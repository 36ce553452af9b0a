"""[env]: the task, its rate, the arm, the person's device and the processors; or any Gymnasium environment."""

from typing import Annotated, Literal

import msgspec

from workers.config.cameras import VIEWS, CameraConfig
from workers.config.processor import InverseKinematicsConfig, ProcessorConfig
from workers.config.robot import RobotConfig
from workers.config.simulation import SimulationConfig
from workers.config.teleop import TeleopConfig
from workers.config.values import Problems, Section

IMAGE_PREFIX = "observation.images."


class EnvConfig(Section, frozen=True, kw_only=True):
    type: Literal["gym_manipulator", "gymnasium"] = "gym_manipulator"
    """`gym_manipulator`: an arm behind the processors; `gymnasium`: the registered environment `id`."""
    id: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """Gymnasium environment, such as "gym_hil/PandaPickCube-v0"; "module:Name-v0" imports the module first."""
    kwargs: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)
    """Arguments for the Gymnasium environment."""
    task: Literal["reach", "push", "pick_lift"] = "pick_lift"
    """Task of the simulated arm: `reach` the marker, `push` the cube onto it, or lift the cube above 6 cm."""
    fps: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] = 10.0
    """Steps per second: the rate at which policy or person decide."""
    robot: RobotConfig | None = None
    """The arm and its cameras."""
    teleop: TeleopConfig = TeleopConfig()
    """What the person drives with."""
    simulation: SimulationConfig = SimulationConfig()
    """Reward and randomisation of the simulated tasks."""
    processor: ProcessorConfig = ProcessorConfig()
    """The way from readings to observation and from action to joint goal."""

    @property
    def arm(self) -> RobotConfig:
        """`robot`, where there is one: never call this for a Gymnasium environment."""
        assert self.robot is not None, "a Gymnasium environment has no arm"
        return self.robot

    @property
    def cameras(self) -> dict[str, CameraConfig]:
        """The arm's cameras by name; empty for a Gymnasium environment."""
        return {} if self.robot is None else self.robot.cameras

    @property
    def workspace(self) -> InverseKinematicsConfig:
        """`processor.inverse_kinematics`, where there is an arm."""
        assert self.processor.inverse_kinematics is not None, "a Gymnasium environment has no workspace"
        return self.processor.inverse_kinematics

    @property
    def reset_pose(self) -> tuple[float, float, float, float, float, float]:
        """`processor.reset.fixed_reset_joint_positions`, where there is an arm."""
        assert self.processor.reset.fixed_reset_joint_positions is not None, "no arm, no pose"
        return self.processor.reset.fixed_reset_joint_positions

    def problems(self) -> Problems:
        if self.processor.reset.control_time_s * self.fps < 1:
            yield ("processor", "reset", "control_time_s"), "shorter than one step of env.fps"
        if self.type == "gymnasium":
            yield from self._gymnasium_problems()
        else:
            yield from self._arm_problems()

    def _gymnasium_problems(self) -> Problems:
        if self.id is None:
            yield ("id",), 'missing; env.type = "gymnasium" needs the id of a registered environment'
        for key, given in (("robot", self.robot), ("processor", self.processor.inverse_kinematics)):
            if given is not None:
                at = (key,) if key == "robot" else (key, "inverse_kinematics")
                yield at, 'does nothing for env.type = "gymnasium"; remove this table'
        for path in _ARM_ONLY:
            if _at(self, path) != _at(_DEFAULT, path):
                yield path, 'does nothing for env.type = "gymnasium"; remove this key'
        if self.teleop.is_leader:
            yield ("teleop", "type"), 'a leader arm needs a follower; env.type = "gymnasium" has none'

    def _arm_problems(self) -> Problems:
        for key in ("id", "kwargs"):
            if getattr(self, key):
                yield (key,), 'does nothing without env.type = "gymnasium"'
        if self.robot is None:
            yield ("robot",), 'missing; an arm needs this table (env.type = "gymnasium" needs none)'
        if self.processor.inverse_kinematics is None:
            text = "missing; it holds the arm's workspace bounds, which hilserl-tui find-limits finds"
            yield ("processor", "inverse_kinematics"), text
        if self.processor.reset.fixed_reset_joint_positions is None:
            at = ("processor", "reset", "fixed_reset_joint_positions")
            yield at, "missing; it must be a list of 6 values: five joints in degrees, gripper in percent"
        if self.robot is not None:
            yield from self._robot_problems(self.robot)

    def _robot_problems(self, robot: RobotConfig) -> Problems:
        if robot.loop_hz < 2 * self.fps:
            yield ("robot", "loop_hz"), f"{robot.loop_hz:g} is less than twice env.fps ({self.fps:g})"
        step, most = self.processor.joint_step_deg, robot.speed_limit_deg_s / self.fps
        if self.processor.action_space == "joints" and step > most + 1e-9:
            at = ("processor", "joint_step_deg")
            yield (
                at,
                f"{step:g} degrees in a step are more than env.robot.speed_limit_deg_s allows ({most:g})",
            )
        for name, camera in robot.cameras.items():
            if camera.fps < self.fps:
                text = f"{camera.fps:g} is below env.fps ({self.fps:g}): pictures would repeat"
                yield ("robot", "cameras", name, "fps"), text
            if camera.type == "sim" and camera.view is None and name not in VIEWS:
                views = " or ".join((", ".join(f'"{view}"' for view in VIEWS[:-1]), f'"{VIEWS[-1]}"'))
                text = f"missing; the simulator has no view of this name, give view = {views}"
                yield ("robot", "cameras", name, "view"), text
        yield from self._crop_problems(robot.cameras)
        yield from self._size_problems(robot.cameras)

    def _crop_problems(self, cameras: dict[str, CameraConfig]) -> Problems:
        for key, (top, left, height, width) in self.processor.image_preprocessing.crop_params_dict.items():
            at = ("processor", "image_preprocessing", "crop_params_dict", key)
            name = key.removeprefix(IMAGE_PREFIX)
            camera = cameras.get(name) if name != key else None
            if camera is None:
                valid = ", ".join(f'"{IMAGE_PREFIX}{name}"' for name in cameras)
                yield at, f"no such camera; valid keys here: {valid}"
            elif top + height > camera.height or left + width > camera.width:
                reached = f"reaches row {top + height} and column {left + width}"
                there = f"the camera has {camera.height} rows and {camera.width} columns"
                yield at, f"[top, left, height, width] {reached}, but {there}"

    def _size_problems(self, cameras: dict[str, CameraConfig]) -> Problems:
        """Without a common size the pictures must have one already."""
        pictures = self.processor.image_preprocessing
        if pictures.resize_size is not None:
            return
        sizes = set()
        for name, camera in cameras.items():
            crop = pictures.crop_params_dict.get(IMAGE_PREFIX + name)
            sizes.add(crop[2:] if crop else (camera.height, camera.width))
        at = ("processor", "image_preprocessing", "resize_size")
        if len(sizes) > 1:
            yield at, f"missing; the pictures differ in size ({_sizes(sizes)}) and need a common one"

    def network_problems(self) -> Problems:
        """Pictures that can be recorded as they are, but are not for networks."""
        pictures = self.processor.image_preprocessing
        if self.robot is None or pictures.resize_size is not None:
            return
        crops = {name: pictures.crop_params_dict.get(IMAGE_PREFIX + name) for name in self.robot.cameras}
        sizes = {
            crop[2:] if (crop := crops[name]) else (camera.height, camera.width)
            for name, camera in self.robot.cameras.items()
        }
        if any(side % 2 or not 32 <= side <= 512 for size in sizes for side in size):
            yield (
                ("processor", "image_preprocessing", "resize_size"),
                f"missing; pictures of {_sizes(sizes)} must be brought to even sides of 32 to 512 pixels",
            )


def _at(env: EnvConfig, path: tuple[str, ...]) -> object:
    """The value of a key below `env`."""
    value: object = env
    for name in path:
        value = getattr(value, name)
    return value


_DEFAULT = EnvConfig()
_OBSERVATION = ("processor", "observation")
_ARM_ONLY = (
    ("task",),
    ("simulation",),
    (*_OBSERVATION, "add_joint_velocity_to_observation"),
    (*_OBSERVATION, "add_current_to_observation"),
    (*_OBSERVATION, "add_ee_pose_to_observation"),
    ("processor", "max_gripper_pos"),
    ("processor", "action_space"),
    ("processor", "joint_step_deg"),
    ("processor", "reset", "fixed_reset_joint_positions"),
)


def _sizes(sizes: set[tuple[int, int]]) -> str:
    return ", ".join(f"{height}x{width}" for height, width in sorted(sizes))
