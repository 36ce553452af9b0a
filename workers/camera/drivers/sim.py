"""Pictures of the simulated workcell, rendered off screen through EGL; no display needed.

All cameras are drawn side by side into one framebuffer and read back at once: on software rendering the
read-back and the state changes cost as much as the drawing.
"""

import contextlib
import importlib
import os
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("MUJOCO_GL", "egl")  # both are read when the libraries load
os.environ.setdefault(
    "LP_NUM_THREADS", "0"
)  # Mesa's rasteriser in the calling thread: pictures are too small to share

import mujoco

from workers.camera.drivers.look import ALWAYS_ALIKE, LookRange, Looks
from workers.robot.mjcf import workcell_mjcf
from workers.robot.scene import VIEWS
from workers.robot.tasks import TaskName

if TYPE_CHECKING:
    from mujoco.egl import GLContext

Picture = NDArray[np.uint8]

_ADVICE = (
    "The simulator draws its camera pictures with OpenGL through EGL, and EGL did not start: {reason}.\n"
    "On Debian or Ubuntu: sudo apt install libegl1 libegl-mesa0 libgl1-mesa-dri\n"
    "On Fedora: sudo dnf install mesa-libEGL mesa-dri-drivers"
)


_EFFECTS = (
    mujoco.mjtRndFlag.mjRND_SHADOW,
    mujoco.mjtRndFlag.mjRND_REFLECTION,
    mujoco.mjtRndFlag.mjRND_SKYBOX,
    mujoco.mjtRndFlag.mjRND_FOG,
    mujoco.mjtRndFlag.mjRND_HAZE,
)


class Shot(NamedTuple):
    """What one camera takes: a view of the scene, in pixels."""

    view: str
    width: int
    height: int


class RendererUnavailable(Exception):
    """No OpenGL through EGL on this machine; the text says what to install."""


def _load_triton_first() -> None:
    """Mesa's software renderer and Triton, which torch's optimisers import, each bring an LLVM of their own.

    Triton's must come first: loaded after Mesa's it crashes the process (seen with torch 2.14 and Mesa 22).
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("triton._C.libtriton")


class SimRenderer:
    """Renders cameras from the simulator's positions. One instance per process and thread."""

    def __init__(
        self,
        cameras: Mapping[str, Shot],
        task: TaskName = "pick_lift",
        look_range: LookRange = ALWAYS_ALIKE,
    ) -> None:
        """Open an off-screen context for `cameras` by name.

        Raises RendererUnavailable when EGL is missing, ValueError for a view the scene does not have.
        """
        known = [view.name for view in VIEWS]
        for shot in cameras.values():
            if shot.view not in known:
                raise ValueError(f"the simulator has no view {shot.view!r}; it has {', '.join(known)}")
        width, height = sum(s.width for s in cameras.values()), max(s.height for s in cameras.values())
        _load_triton_first()
        self._gl = _open_context(width, height)
        self._model = mujoco.MjModel.from_xml_string(workcell_mjcf(task))
        self._model.vis.global_.offwidth, self._model.vis.global_.offheight = width, height
        self._data = mujoco.MjData(self._model)
        self._looks = Looks(self._model, look_range)
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._release = weakref.finalize(self, _free, self._context, self._gl)
        self._scene = mujoco.MjvScene(self._model, maxgeom=64)
        for effect in _EFFECTS:
            self._scene.flags[int(effect)] = 0
        self._views = []
        left = 0
        for name, shot in cameras.items():
            view = mujoco.MjvCamera()
            view.type = mujoco.mjtCamera.mjCAMERA_FIXED
            view.fixedcamid = self._model.camera(shot.view).id
            self._views.append((name, view, mujoco.MjrRect(left, 0, shot.width, shot.height)))
            left += shot.width
        self._whole = mujoco.MjrRect(0, 0, width, height)
        self._pixels: Picture = np.empty((height, width, 3), np.uint8)
        self._option, self._perturb = mujoco.MjvOption(), mujoco.MjvPerturb()

    def render(self, scene: NDArray[np.float64], look_seed: int = 0) -> dict[str, Picture]:
        """Pictures uint8 [H, W, 3] of every camera, for `SimArm.scene` and the seed of the episode."""
        self._gl.make_current()
        self._looks.apply(look_seed)
        self._place(scene)
        for _, view, place in self._views:
            mujoco.mjv_updateScene(
                self._model,
                self._data,
                self._option,
                self._perturb,
                view,
                mujoco.mjtCatBit.mjCAT_ALL,
                self._scene,
            )
            mujoco.mjr_render(place, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._whole, self._context)
        return {name: self._cut(place) for name, _, place in self._views}

    def _place(self, scene: NDArray[np.float64]) -> None:
        """Move everything to where it is in `scene` [16]: the positions this task has, then the goal."""
        self._data.qpos[:] = scene[-3 - self._model.nq : -3]
        if self._model.nmocap:
            self._data.mocap_pos[0] = scene[-3:]
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)

    def _cut(self, place: mujoco.MjrRect) -> Picture:
        """One camera's picture; OpenGL's first row is the bottom one."""
        part = self._pixels[: place.height, place.left : place.left + place.width]
        return np.ascontiguousarray(part[::-1])

    def close(self) -> None:
        """Give the context back; the renderer cannot be used afterwards."""
        self._release()


def _open_context(width: int, height: int) -> "GLContext":
    """An EGL context, made current. Raises RendererUnavailable."""
    try:
        from mujoco.egl import GLContext

        context = GLContext(width, height)
        context.make_current()
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        raise RendererUnavailable(_ADVICE.format(reason=str(error) or type(error).__name__)) from error
    return context


def _free(context: mujoco.MjrContext, gl: "GLContext") -> None:
    gl.make_current()  # or the names of what is freed would mean something in another renderer's context
    context.free()
    gl.free()
