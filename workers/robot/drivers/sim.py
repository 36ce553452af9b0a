"""A simulated SO-101 at its table: MuJoCo physics behind the driver interface."""

from dataclasses import replace
from typing import Final

import mujoco
import numpy as np

from workers.robot.drivers import ArmReading
from workers.robot.drivers.sts3215 import current_of_register, register_of_current
from workers.robot.figures import (
    JOINT_NAMES,
    TOOL_NAME,
    Floats,
    model_joints,
    public_joints,
    public_velocity,
)
from workers.robot.mjcf import TIMESTEP_S, workcell_mjcf
from workers.robot.scene import SCENE_LENGTH
from workers.robot.tasks import TASKS, Layout, RewardKind, TaskName, TaskState, dense_reward

# Tool 8 cm above the table, 22 cm in front of the base, pointing down, jaw open.
RESET_POSE_DEG: Final = (0.0, -2.0, 0.4, 91.7, 2.8, 40.0)
# STS3215 at 12 V (datasheet): 30 kg cm, 2.94 N m, when it stalls at 2.7 A. Current is taken as proportional to torque.
AMPERE_PER_NM: Final = 2.7 / 2.94
_NOWHERE: Final = np.full(3, np.nan)


class SimArm:
    """Physics of the arm and of what lies on its table. The same seed and goals give the same motion, bit for bit."""

    def __init__(
        self,
        reset_pose_deg: Floats | None = None,
        task: TaskName = "pick_lift",
        object_area: float = 1.0,
        reward: RewardKind = "sparse",
    ) -> None:
        """
        Args:
            reset_pose_deg: [6] where episodes start; `RESET_POSE_DEG` unless told otherwise.
            object_area: share of the task's area in which things are placed.
        """
        self._reset_pose = np.array(RESET_POSE_DEG) if reset_pose_deg is None else reset_pose_deg
        self._task, self._object_area, self._reward = TASKS[task], object_area, reward
        self._model = mujoco.MjModel.from_xml_string(workcell_mjcf(task))
        self._data = mujoco.MjData(self._model)
        self._arm = np.array([self._model.joint(name).qposadr[0] for name in JOINT_NAMES])
        self._arm_dof = np.array([self._model.joint(name).dofadr[0] for name in JOINT_NAMES])
        self._cube = None if self._task.cube_area is None else int(self._model.joint("cube").qposadr[0])
        self._tool = int(self._model.site(TOOL_NAME).id)
        self._goal_deg = self._reset_pose
        self._marker_m: Floats = _NOWHERE
        self._leftover_s = 0.0
        self.reset(0)

    def reset(self, seed: int, start_deg: Floats | None = None) -> None:
        """Arm at rest in the reset pose (or at `start_deg` [6]), things at random places on the table."""
        mujoco.mj_resetData(self._model, self._data)
        self._leftover_s = 0.0
        layout = self._task.lay_out(np.random.default_rng(seed), self._object_area)
        self._marker_m = _NOWHERE if layout.goal_m is None else layout.goal_m
        self._place_cube(layout)
        self.place(self._reset_pose if start_deg is None else start_deg)

    def place(self, joints_deg: Floats) -> None:
        """Put the arm at rest at `joints_deg` [6], at once."""
        self._goal_deg = joints_deg.copy()
        self._data.qpos[self._arm] = self._data.ctrl[:] = model_joints(joints_deg)
        self._data.qvel[self._arm_dof] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def read(self) -> ArmReading:
        """Joint positions, velocities and motor currents now; the stamp is simulated time.

        Currents come as a servo tells them, in the steps of its register.
        """
        currents = register_of_current(self._data.actuator_force * AMPERE_PER_NM)
        return ArmReading(
            public_joints(self._data.qpos[self._arm]),
            public_velocity(self._data.qvel[self._arm_dof]),
            float(self._data.time),
            current_of_register(currents),
            self._goal_deg.copy(),
        )

    def write(self, goal_deg: Floats) -> None:
        """Set the servo goals, public joint vector [6]."""
        self._goal_deg = goal_deg.copy()
        self._data.ctrl[:] = model_joints(goal_deg)

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass, in whole physics steps; the remainder is carried to the next call."""
        self._leftover_s += dt_s
        steps = int(self._leftover_s / TIMESTEP_S + 1e-6)
        self._leftover_s -= steps * TIMESTEP_S
        mujoco.mj_step(self._model, self._data, nstep=steps)

    def scene(self) -> Floats:
        """All a renderer in another process needs, see `SCENE_LENGTH`."""
        scene = np.full(SCENE_LENGTH, np.nan)
        scene[SCENE_LENGTH - 3 - len(self._data.qpos) : -3] = self._data.qpos
        scene[-3:] = self._marker_m
        return scene

    def tool_position_m(self) -> Floats:
        """Tool point [3] by the simulator's own kinematics."""
        position: Floats = self._data.site_xpos[self._tool].copy()
        return position

    def task_state(self) -> TaskState:
        """The task's verdict and ground truth, now."""
        cube = self._data.qpos[self._cube : self._cube + 3].copy() if self._cube is not None else _NOWHERE
        state = self._task.judge(self.tool_position_m(), cube, self._marker_m.copy())
        return replace(state, reward=dense_reward(state)) if self._reward == "dense" else state

    def _place_cube(self, layout: Layout) -> None:
        if self._cube is not None and layout.cube_m is not None:
            half_yaw = layout.cube_yaw_rad / 2
            self._data.qpos[self._cube : self._cube + 7] = (
                *layout.cube_m, np.cos(half_yaw), 0.0, 0.0, np.sin(half_yaw),
            )  # fmt: skip
