"""From the configuration to the simulator's cameras."""

from collections.abc import Iterable

from workers.camera.drivers.look import LookRange
from workers.camera.drivers.sim import Shot, SimRenderer
from workers.config import Config


def renderer_of(config: Config, names: Iterable[str]) -> SimRenderer:
    """One renderer for the named cameras. Raises RendererUnavailable when EGL is missing."""
    cameras, simulation = config.env.cameras, config.env.simulation
    shots = {
        name: Shot(cameras[name].view or name, cameras[name].width, cameras[name].height) for name in names
    }
    return SimRenderer(shots, config.env.task, LookRange(simulation.light, simulation.camera_jitter_deg))
