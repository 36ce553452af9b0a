"""The machine itself: its GPU, rendering without a display, and how fast its disk is."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from workers.config import Config
from workers.model.check import Check

EGL_WITHIN_S: Final = 60.0
WRITTEN_BYTES: Final = 32 * 1024 * 1024
PIECE_BYTES: Final = 1024 * 1024
AMPLE: Final = 5.0  # times what a run writes
LEAST_BYTES_S: Final = 10e6  # where no configuration tells: two 128x128 cameras at 10 Hz are 1 MB/s

# In a process of its own: a driver that is broken may end it.
_RENDER = """
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 16, 16) as renderer:
    renderer.update_scene(data)
    assert renderer.render().shape == (16, 16, 3)
"""


def gpu(config: Config | None) -> Check:
    """What PyTorch finds, and whether the devices that the configuration asks for are among it."""
    import torch

    from workers.learner.devices import DeviceMissing, usable_device

    count = torch.cuda.device_count()
    names = ", ".join(
        f"{torch.cuda.get_device_name(i)}, {torch.cuda.get_device_properties(i).total_memory / 1e9:.0f} GB"
        for i in range(count)
    )
    found = f"{names or 'none'} (PyTorch {torch.__version__})"
    for key, name in _wanted_devices(config):
        try:
            usable_device(name, key)
        except DeviceMissing as missing:
            do = f'set {key} = "cpu", or mend the driver; a learner on another machine needs no GPU here'
            return Check("GPU", False, str(missing), "the configuration asks for it", do)
    if count:
        return Check("GPU", True, found)
    why = "the small encoder learns on a processor; a ResNet-10 wants a GPU"
    do = "nothing, or let the learner run elsewhere: hilserl-worker learner on a machine that has one"
    return Check("GPU", None, found, why, do)


def _wanted_devices(config: Config | None) -> list[tuple[str, str]]:
    """(key, device) of what runs on this machine."""
    if config is None:
        return []
    wanted = [("device", config.device)]
    if config.mode is None and config.policy.actor_learner_config.learner_host is None:
        policy = config.policy
        wanted += [("policy.device", policy.device), ("policy.storage_device", policy.storage_device)]
    return wanted


def egl() -> Check:
    """Render one picture the way the simulated cameras do."""
    why = "the simulated cameras render through EGL, without a display"
    do = "apt install libegl1 libgl1-mesa-dri (dnf: mesa-libEGL mesa-dri-drivers; pacman: mesa)"
    environment = {**os.environ, "MUJOCO_GL": "egl"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _RENDER],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=EGL_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("EGL rendering", False, str(error), why, do)
    if done.returncode == 0:
        return Check("EGL rendering", True, "a test picture was rendered")
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return Check("EGL rendering", False, last, why, do)


def disk_speed(folder: Path, config: Config | None) -> Check:
    """Write 32 MiB where runs will be kept, until they are on the disk."""
    needed = AMPLE * written_bytes_s(config) if config is not None else LEAST_BYTES_S
    try:
        rate = _write_rate(existing(folder))
    except OSError as error:
        do = "free some space, or set run.directory elsewhere"
        return Check("disk speed", False, str(error), "every step of a run is written down", do)
    found = f"{rate / 1e6:.0f} MB/s to {existing(folder)}"
    if config is not None:
        found += f"; this run writes {needed / AMPLE / 1e6:.1f} MB/s"
    do = "set run.directory to a local disk, not a network folder or an SD card"
    why = "a disk that is behind holds the arm up"
    return Check("disk speed", True if rate >= needed else None, found, why, do)


def existing(folder: Path) -> Path:
    """`folder`, or the nearest one above it that is there."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())


def written_bytes_s(config: Config) -> float:
    """What the transition log of a run grows by in a second: a picture of each camera, and some numbers, a step."""
    from workers.learner.memory import frame_bytes
    from workers.processors.build import feature_spec

    return frame_bytes(feature_spec(config)) * config.env.fps


def _write_rate(folder: Path) -> float:
    """Bytes per second. Raises OSError."""
    path = folder / f".hilserl-doctor-{os.getpid()}"
    piece = os.urandom(PIECE_BYTES)  # nothing that a file system could make smaller
    try:
        begun_s = time.monotonic()
        with path.open("wb", buffering=0) as file:
            for _ in range(WRITTEN_BYTES // PIECE_BYTES):
                file.write(piece)
            os.fsync(file.fileno())
        return WRITTEN_BYTES / (time.monotonic() - begun_s)
    finally:
        path.unlink(missing_ok=True)
