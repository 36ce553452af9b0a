"""A simulated SO-101 with a cube to pick up: MuJoCo physics behind the driver interface."""

from typing import Final

import mujoco
import numpy as np

from workers.robot.drivers import ArmReading
from workers.robot.figures import JOINT_NAMES, TOOL_NAME, Floats, model_joints, public_joints, public_velocity
from workers.robot.mjcf import CUBE_HALF_M, TIMESTEP_S, pick_lift_mjcf

# Tool about 10 cm above the table, 22 cm in front of the base, pointing down, jaw open.
RESET_POSE_DEG: Final = (0.0, -7.1, -2.4, 93.5, 2.8, 40.0)
SUCCESS_HEIGHT_M: Final = 0.06
CUBE_X_M: Final = (0.20, 0.28)
CUBE_Y_M: Final = (-0.06, 0.06)
CUBE_YAW_RAD: Final = 0.15  # the cube's sides face the jaws within this angle either way
_JOINTS: Final = len(JOINT_NAMES)


class SimArm:
    """Physics of the arm and the cube. The same seed and the same goals give the same motion, bit for bit."""

    def __init__(self, reset_pose_deg: Floats | None = None) -> None:
        """`reset_pose_deg` [6]: where episodes start; `RESET_POSE_DEG` unless told otherwise."""
        self._reset_pose = np.array(RESET_POSE_DEG) if reset_pose_deg is None else reset_pose_deg
        self._model = mujoco.MjModel.from_xml_string(pick_lift_mjcf())
        self._data = mujoco.MjData(self._model)
        self._arm = np.array([self._model.joint(name).qposadr[0] for name in JOINT_NAMES])
        self._arm_dof = np.array([self._model.joint(name).dofadr[0] for name in JOINT_NAMES])
        # where the cube's position starts in `scene()`
        self.cube_index = int(self._model.joint("cube").qposadr[0])
        self._tool = int(self._model.site(TOOL_NAME).id)
        self._leftover_s = 0.0
        self.reset(np.random.default_rng(0))

    def reset(self, rng: np.random.Generator) -> None:
        """Arm at rest in the reset pose, cube at a random place on the table."""
        mujoco.mj_resetData(self._model, self._data)
        self._leftover_s = 0.0
        yaw = rng.uniform(-CUBE_YAW_RAD, CUBE_YAW_RAD)
        self._data.qpos[self.cube_index : self.cube_index + 7] = (
            rng.uniform(*CUBE_X_M), rng.uniform(*CUBE_Y_M), CUBE_HALF_M,
            np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2),
        )  # fmt: skip
        self.place(self._reset_pose)

    def place(self, joints_deg: Floats) -> None:
        """Put the arm at rest at `joints_deg` [6], at once."""
        self._data.qpos[self._arm] = self._data.ctrl[:] = model_joints(joints_deg)
        self._data.qvel[self._arm_dof] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def read(self) -> ArmReading:
        """Joint positions and velocities now; the stamp is simulated time."""
        return ArmReading(
            public_joints(self._data.qpos[self._arm]),
            public_velocity(self._data.qvel[self._arm_dof]),
            float(self._data.time),
        )

    def write(self, goal_deg: Floats) -> None:
        """Set the servo goals, public joint vector [6]."""
        self._data.ctrl[:] = model_joints(goal_deg)

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass, in whole physics steps; the remainder is carried to the next call."""
        self._leftover_s += dt_s
        steps = int(self._leftover_s / TIMESTEP_S + 1e-6)
        self._leftover_s -= steps * TIMESTEP_S
        mujoco.mj_step(self._model, self._data, nstep=steps)

    def scene(self) -> Floats:
        """Generalised positions [13] (qpos), all a renderer in another process needs."""
        scene: Floats = self._data.qpos.copy()
        return scene

    def tool_position_m(self) -> Floats:
        """Tool point [3] by the simulator's own kinematics."""
        position: Floats = self._data.site_xpos[self._tool].copy()
        return position

    def cube_position_m(self) -> Floats:
        """Centre of the cube [3]: ground truth, for the task's verdict and the scripted operator."""
        position: Floats = self._data.qpos[self.cube_index : self.cube_index + 3].copy()
        return position

    def success(self) -> bool:
        """Whether the cube's centre is above 6 cm."""
        return bool(self._data.qpos[self.cube_index + 2] > SUCCESS_HEIGHT_M)
