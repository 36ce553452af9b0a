"""[env.processor]: what happens between raw readings and observation, and between action and joint goal."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import AtLeast0, Count, Problems, Section, Vector3

SIMULATED = "simulated"
"""`reward_classifier.pretrained_path` of the stand-in that asks the simulator."""
SMALLEST_BOX_M = 0.03
"""Below this a workspace axis is a mistake (typically taught without moving the arm), not a workspace."""

Crop = tuple[
    Annotated[int, msgspec.Meta(ge=0)],
    Annotated[int, msgspec.Meta(ge=0)],
    Annotated[int, msgspec.Meta(ge=8)],
    Annotated[int, msgspec.Meta(ge=8)],
]
Side = Annotated[int, msgspec.Meta(ge=32, le=512, multiple_of=2)]
StepSize = Annotated[float, msgspec.Meta(gt=0.0, le=0.05)]


class ObservationConfig(Section, frozen=True, kw_only=True):
    add_joint_velocity_to_observation: bool = False
    """Add the joint velocities, by measured time, to `observation.state`."""
    add_current_to_observation: bool = False
    """Add the motor currents, in amperes with their sign, to `observation.state`."""
    add_ee_pose_to_observation: bool = False
    """Add the end-effector position and the gripper's goal to `observation.state`."""
    display_cameras: bool = True
    """Send camera pictures to the consoles; without them a thin link carries numbers only."""


class ImagePreprocessingConfig(Section, frozen=True, kw_only=True):
    crop_params_dict: dict[str, Crop] = msgspec.field(default_factory=dict)
    """Part of a picture to keep: `"observation.images.<camera>" = [top, left, height, width]` in pixels."""
    resize_size: tuple[Side, Side] | None = None
    """[height, width] in pixels that every picture is resized to after its crop; even numbers.
    Without it pictures keep the size of their crop, which must then be the same for all."""


class GripperConfig(Section, frozen=True, kw_only=True):
    use_gripper: bool = True
    """Let the policy and the person drive the gripper; when false it stays as the reset left it."""
    gripper_penalty: Annotated[float, msgspec.Meta(ge=-1.0, le=0.0)] = 0.0
    """Reward (0 or negative) for each step that changes the gripper goal; keeps it from chattering."""
    closed_at: Literal[0, 100] = 0
    """Gripper position, in percent, at which the jaws are closed: 0 as LeRobot calibrates, 100 if it is mirrored."""


class ResetConfig(Section, frozen=True, kw_only=True):
    fixed_reset_joint_positions: tuple[float, float, float, float, float, float] | None = None
    """Pose between episodes and for parking: five joints in degrees, shoulder_pan first, gripper in %."""
    reset_time_s: AtLeast0 = 5.0
    """Seconds to wait in that pose before an episode starts, for a person to put the scene in order."""
    control_time_s: Annotated[float, msgspec.Meta(gt=0.0, le=600.0)] = 20.0
    """Longest episode in seconds: after exactly `control_time_s` x `fps` steps it is truncated."""
    terminate_on_success: bool = True
    """End the episode at the first success."""

    def problems(self) -> Problems:
        pose = self.fixed_reset_joint_positions
        if pose is None:
            return
        if any(abs(angle) > 180.0 for angle in pose[:5]):
            yield ("fixed_reset_joint_positions",), "the first five are joint angles in degrees, -180 to 180"
        if not 0.0 <= pose[5] <= 100.0:
            yield ("fixed_reset_joint_positions",), "the sixth is the gripper in percent open, 0 to 100"


class BoundsConfig(Section, frozen=True, kw_only=True):
    min: Vector3
    """Lower corner [x, y, z] in metres, base frame."""
    max: Vector3
    """Upper corner [x, y, z] in metres, base frame."""

    def problems(self) -> Problems:
        for axis, low, high in zip("xyz", self.min, self.max, strict=True):
            if low >= high:
                yield ("max",), f"{axis}: min {low:g} m is not below max {high:g} m"
            elif high - low < SMALLEST_BOX_M - 1e-9:
                text = f"only {100 * (high - low):.1f} cm wide; {100 * SMALLEST_BOX_M:.0f} cm is the least"
                yield ("max",), f"{axis}: {text}"
            if max(abs(low), abs(high)) > 1.0:
                yield ("max",), f"{axis}: more than 1 m away, out of any reach; the unit is metres"


class StepSizesConfig(Section, frozen=True, kw_only=True):
    x: StepSize = 0.02
    """Metres along x for an action of 1."""
    y: StepSize = 0.02
    """Metres along y for an action of 1."""
    z: StepSize = 0.02
    """Metres along z for an action of 1."""


class InverseKinematicsConfig(Section, frozen=True, kw_only=True):
    urdf_path: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """URDF file of the arm; without it, the one that comes with this product."""
    target_frame_name: Annotated[str, msgspec.Meta(min_length=1)] = "gripper_frame_link"
    """Frame of the URDF that is driven; in the one that comes along, the point between the jaws."""
    end_effector_bounds: BoundsConfig
    """Box, in metres in the base frame, that this point never leaves."""
    end_effector_step_sizes: StepSizesConfig = StepSizesConfig()
    """How far an action of 1 moves it in one step, in metres for each axis."""


class RewardClassifierConfig(Section, frozen=True, kw_only=True):
    pretrained_path: Annotated[str, msgspec.Meta(min_length=1)]
    """The classifier: a directory, or an id on the Hugging Face hub. "simulated" is none: it stands in for one with
    the simulator's own verdict, given as a probability."""
    success_threshold: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.5
    """Probability of success from which on a step counts as a vote."""
    success_reward: Annotated[float, msgspec.Meta(gt=0.0)] = 1.0
    """Reward of the step at which success is decided."""
    votes: Count = 3
    """Votes among the last `window` steps that decide success. With 3 of 4, one wrong picture in a hundred ends less
    than one in a thousand episodes of 10 s; with 2 of 3 it would be one in fifty."""
    window: Count = 4
    """Steps over which votes are counted."""
    decides: bool = True
    """When false, what the classifier says is shown, and the simulator or the person decides."""
    veto_s: Annotated[float, msgspec.Meta(ge=0.0, le=30.0)] = 0.0
    """Seconds for which the arm holds after a decision, in which a person may object to it: `v` goes on without a
    reward, `f` ends the episode as a failure. 0: decisions stand at once."""

    @property
    def is_stand_in(self) -> bool:
        """True of "simulated": there is no classifier to load."""
        return self.pretrained_path == SIMULATED

    def problems(self) -> Problems:
        if self.votes > self.window:
            yield ("votes",), f"more than window ({self.window}): success would never be decided"
        if self.veto_s and not self.decides:
            yield ("veto_s",), "does nothing with decides = false; remove this key"


class ProcessorConfig(Section, frozen=True, kw_only=True):
    max_gripper_pos: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] = 100.0
    """Opening of the command "open", in percent of the full one."""
    observation: ObservationConfig = ObservationConfig()
    """What `observation.state` holds besides the joint positions."""
    image_preprocessing: ImagePreprocessingConfig = ImagePreprocessingConfig()
    """Crop and size of the pictures the policy sees."""
    gripper: GripperConfig = GripperConfig()
    """Use of the gripper, and what moving it costs."""
    reset: ResetConfig = ResetConfig()
    """What happens between episodes, and when one ends."""
    action_space: Literal["end_effector", "joints"] = "end_effector"
    """What an action moves: the tool along x, y, z through inverse kinematics, or the five joints themselves. Keys,
    gamepad and the scripted person drive the tool either way; a leader arm drives what the actions are."""
    joint_step_deg: Annotated[float, msgspec.Meta(gt=0.0, le=20.0)] = 5.0
    """Degrees by which an action of 1 moves a joint in one step, with `action_space = "joints"`."""
    inverse_kinematics: InverseKinematicsConfig | None = None
    """Workspace box and step sizes of the tool point."""
    reward_classifier: RewardClassifierConfig | None = None
    """Success by a classifier's votes; without it, by the simulator or the person."""

    @property
    def judged_by_classifier(self) -> bool:
        """Whether a classifier decides success, in place of the task."""
        return self.reward_classifier is not None and self.reward_classifier.decides

    def problems(self) -> Problems:
        classifier = self.reward_classifier
        if classifier is not None and classifier.veto_s and not self.reset.terminate_on_success:
            text = (
                "does nothing with reset.terminate_on_success = false: no episode ends by it; remove this key"
            )
            yield ("reward_classifier", "veto_s"), text
        if self.action_space != "joints" and self.joint_step_deg != _JOINT_STEP_DEG:
            yield ("joint_step_deg",), 'does nothing without action_space = "joints"; remove this key'


_JOINT_STEP_DEG = ProcessorConfig().joint_step_deg
