"""Random pipelines, fed with random input: what they may raise, and that the description of their shapes holds."""

import msgspec
import numpy as np
from hypothesis import strategies as st

from workers.config import (
    Config,
    GripperConfig,
    ImagePreprocessingConfig,
    ObservationConfig,
    ResetConfig,
    RewardClassifierConfig,
    load,
)
from workers.config.ready import ready_config
from workers.processors.build import Pipelines, arm_pipelines
from workers.processors.errors import ProcessorError
from workers.processors.features import Features
from workers.processors.transition import Command, Judgement, Teleop, Transition
from workers.processors.vanilla_observation import AGENT, PIXELS
from workers.robot.build import kinematics_of
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import RESET_POSE_DEG

CONFIG = load(ready_config())
KINEMATICS = kinematics_of(CONFIG)
SIDES = st.sampled_from([32, 48, 64])
CROPS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(8, 64), st.integers(8, 64))
CAMERAS = st.lists(st.sampled_from(["front", "side", "wrist"]), unique=True, max_size=3)
CROPPED = st.dictionaries(st.sampled_from(["front", "side", "wrist"]), CROPS, max_size=2)
RESIZED = st.none() | st.tuples(SIDES, SIDES)
FLAGS = st.tuples(*[st.booleans()] * 6)
PENALTIES, CLOSED = st.sampled_from([0.0, -0.02]), st.sampled_from([0, 100])
SECONDS, GRIPPER_MAX = st.sampled_from([0.1, 0.3, 5.0]), st.sampled_from([1.0, 40.0, 100.0])
SIMULATED = RewardClassifierConfig(pretrained_path="simulated", votes=1)
ODD = np.array([0.0, 1.0, -1.0, 1e-300, 1e300, np.nan, np.inf, -np.inf])


@st.composite
def configurations(draw: st.DrawFn) -> Config:
    """The simulator's configuration with every switch of the pipelines at random, sensible or not."""
    processor = CONFIG.env.processor
    velocity, current, pose, gripper, terminate, judged = draw(FLAGS)
    camera = CONFIG.env.cameras["front"]
    cameras = {
        name: msgspec.structs.replace(camera, height=draw(SIDES), width=draw(SIDES)) for name in draw(CAMERAS)
    }
    crops = {f"observation.images.{name}": crop for name, crop in sorted(draw(CROPPED).items())}
    changed = msgspec.structs.replace(
        processor,
        observation=ObservationConfig(
            add_joint_velocity_to_observation=velocity,
            add_current_to_observation=current,
            add_ee_pose_to_observation=pose,
        ),
        image_preprocessing=ImagePreprocessingConfig(crop_params_dict=crops, resize_size=draw(RESIZED)),
        gripper=GripperConfig(use_gripper=gripper, gripper_penalty=draw(PENALTIES), closed_at=draw(CLOSED)),
        reset=ResetConfig(control_time_s=draw(SECONDS), terminate_on_success=terminate),
        reward_classifier=SIMULATED if judged else None,
        max_gripper_pos=draw(GRIPPER_MAX),
    )
    robot = msgspec.structs.replace(CONFIG.env.arm, cameras=cameras)
    return msgspec.structs.replace(
        CONFIG, env=msgspec.structs.replace(CONFIG.env, processor=changed, robot=robot)
    )


class Inputs:
    """Random input: mostly sensible, now and then anything at all."""

    def __init__(self, seed: int, oddness: float) -> None:
        self._rng = np.random.default_rng(seed)
        self._oddness = oddness

    def numbers(self, size: int, span: float) -> np.ndarray:
        values = self._rng.uniform(-span, span, size)
        odd = self._rng.random(size) < self._oddness
        values[odd] = self._rng.choice(ODD, odd.sum())
        return values

    def chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def reading(self) -> ArmReading:
        joints = np.add(RESET_POSE_DEG, self.numbers(6, 8.0))
        goal = joints if self.chance(0.8) else np.full(6, np.nan)
        stamp_s = float(self._rng.uniform(0.0, 9.0))
        return ArmReading(
            joints, np.zeros(6), stamp_s, self.numbers(6, 1.0), goal, int(self._rng.integers(3))
        )

    def pictures(self, config: Config) -> dict[str, np.ndarray]:
        """A picture of each camera; now and then one that is none."""
        odd = self.chance(self._oddness)
        return {
            name: np.full((camera.height, camera.width, 3), 7, np.float32 if odd else np.uint8)
            for name, camera in config.env.cameras.items()
        }

    def command(self, size: int, reading: ArmReading) -> Command:
        teleop = None
        if self.chance(0.5):
            action = self.numbers(size, 2.0).astype(np.float32) if self.chance(0.7) else None
            judgement = list(Judgement)[self._rng.integers(3)] if self.chance(0.3) else None
            teleop = Teleop(action, judgement)
        return Command(self.numbers(size, 2.0).astype(np.float32), teleop, reading)


INPUTS = st.builds(Inputs, st.integers(0, 2**32), st.sampled_from([0.0, 0.0, 0.05, 0.3]))


@np.errstate(over="ignore")  # numbers that float32 does not have are part of the input
def run_one(config: Config, inputs: Inputs) -> bool:
    """One pipeline through an episode of two steps. Whether it got to the end without a documented error."""
    pipelines = arm_pipelines(config, KINEMATICS, "cpu")
    described = pipelines.lines()[0][-1][1]
    size = pipelines.spec().action_dim
    try:
        before = inputs.reading()
        pipelines.action.reset(before)
        pipelines.environment.reset()
        _observe(pipelines, described, before, inputs.pictures(config), is_reset=True)
        for _ in range(2):
            pipelines.action.begin_period()
            for _ in range(1 + inputs.chance(0.3)):
                pipelines.action.apply(inputs.command(size, before))
            after = inputs.reading()
            _check_action(pipelines.action.executed(before, after), pipelines)
            _observe(pipelines, described, after, inputs.pictures(config))
            before = after
    except ProcessorError as error:
        assert str(error).split(":")[0] in {name for line in pipelines.lines() for name, _ in line}
        return False
    return True


def _check_action(executed: np.ndarray, pipelines: Pipelines) -> None:
    spec = pipelines.spec()
    assert executed.shape == (spec.action_dim,) and executed.dtype == np.float32
    assert np.isfinite(executed).all() and (np.abs(executed[: spec.motion_dim]) <= 1.0).all()
    assert not spec.gripper or executed[-1] in (0.0, 1.0, 2.0)


def _observe(
    pipelines: Pipelines,
    described: Features,
    reading: ArmReading,
    frames: dict[str, np.ndarray],
    is_reset: bool = False,
) -> None:
    raw = {AGENT: reading.joints_deg, PIXELS: frames}
    item = Transition(raw, pipelines.action.period, reading, is_reset)
    pipelines.environment(item)
    assert item.policy_input.keys() == {key for key in described if key.startswith("observation.")}
    for key, tensor in item.policy_input.items():
        assert (tuple(tensor.shape), f"torch.{described[key].dtype}") == (
            described[key].shape,
            str(tensor.dtype),
        )
        stored = pipelines.stored[key]
        assert (item.observation[key].shape, item.observation[key].dtype) == (stored.shape, stored.dtype)
