"""Time from a dataset of demonstrations to an offline buffer that a learner can draw from: frames/s, two cameras.

Episodes of 100 frames, as videos and as PNG pictures, at the policy's 128x128 and at 640x480, which is cut down on the
way. "into the log" is the one pass over the dataset; "into replay" is what every later start takes too. Programs are
started and their modules imported before the clock runs, here and in the peer.

Beside it, with --peer, what LeRobot's learner does with the same folder of 128x128 videos: the dataset, opened before
the clock runs, through ReplayBuffer.from_lerobot_dataset, with the decoder that LeRobot chooses there (torchcodec
where that is installed, else the slower pyav). Rounds are taken in turns; medians are given, with the seconds of
processor that a thousand frames took.

Run: python -m benchmarks.dataset_load [--frames N] [--rounds N] [--kind KIND ...] [--peer PYTHON]
PYTHON has LeRobot installed.
"""

import argparse
import json
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.made_up_run import EPISODE_STEPS, made_up_run
from workers.config import Config
from workers.dataset.columns import columns_of
from workers.dataset.demonstrations import Demonstrations
from workers.dataset.feed import feed
from workers.dataset.layout import AUTOMATIC
from workers.dataset.units import state_units
from workers.dataset.writer import DatasetWriter
from workers.learner.intake import Intake, one_ahead
from workers.learner.memory import tune_allocator
from workers.learner.replay import Replay
from workers.learner.session import RECORDS_AT_ONCE
from workers.processors.build import feature_spec, pipelines_of
from workers.processors.features import ACTION, STATE

PEER = """\
import json, sys, time
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.rl.buffer import ReplayBuffer
dataset = LeRobotDataset("bench/set", root=sys.argv[1])
keys = [key for key in dataset.features if key.startswith("observation.")]
start, used = time.perf_counter(), time.process_time()
buffer = ReplayBuffer.from_lerobot_dataset(dataset, device="cpu", state_keys=keys, optimize_memory=True)
assert len(buffer) == len(dataset)
seconds, used = time.perf_counter() - start, time.process_time() - used
print(json.dumps({"decoder": dataset.video_backend, "seconds": seconds, "used": used}))
"""
_COMPARED = "128x128 video"
_KINDS = [_COMPARED, "128x128 PNG", "640x480 video", "640x480 PNG"]
_TIMED = ("log_s", "replay_s", "together_s")
_SIZES = {"128x128": (128, 128), "640x480": (480, 640)}


class Times(NamedTuple):
    """Of loading one dataset."""

    log_s: float
    replay_s: float
    used_s: float
    """Of processor, by all threads."""
    grown_mb: float
    """Of this process, in the pass over the dataset."""

    @property
    def together_s(self) -> float:
        return self.log_s + self.replay_s


class Peer(NamedTuple):
    """Of LeRobot's loading one dataset."""

    decoder: str
    seconds: float
    used: float
    """Seconds of processor, by all threads."""


def configured(folder: Path, frames: int, size: tuple[int, int]) -> Config:
    """A run whose cameras give pictures of `size`, which its policy has as 128x128."""
    data = msgspec.to_builtins(made_up_run(folder, 128, frames + 2 * EPISODE_STEPS))
    for camera in data["env"]["robot"]["cameras"].values():
        camera |= {"height": size[0], "width": size[1]}
    data["dataset"] |= {"root": str(folder / "set")}
    return msgspec.convert(data, Config)


def write_dataset(config: Config, root: Path, frames: int, size: tuple[int, int], video: bool) -> None:
    """Episodes of a bright square on its way over a smooth background; the last frame of each is a success."""
    stored = pipelines_of(config).stored
    kind = "video" if video else "image"
    columns = {
        key: msgspec.structs.replace(column, dtype=kind, shape=(*size, 3)) if column.is_picture else column
        for key, column in columns_of(stored).items()
        if key not in AUTOMATIC
    }
    writer = DatasetWriter.open(root, columns, config.env.fps, "so101_sim", video=video)
    state = state_units(config).to_dataset(np.zeros(columns[STATE].shape, np.float32))
    for _ in range(frames // EPISODE_STEPS):
        for step in range(EPISODE_STEPS):
            last = step == EPISODE_STEPS - 1
            numbers = {"next.reward": last, "next.done": last, "next.success": last}
            row: dict[str, NDArray[Any]] = {
                key: np.full(column.shape, numbers.get(key, 0), column.dtype)
                for key, column in columns.items()
                if not column.is_picture
            }
            views = {key: picture(size, step) for key, column in columns.items() if column.is_picture}
            writer.add_frame({**row, STATE: state, ACTION: np.array([0, 0, 0, 1], np.float32), **views})
        writer.save_episode("lift it")
    writer.close()


def picture(size: tuple[int, int], step: int) -> NDArray[np.uint8]:
    """uint8 [H, W, 3]: a gradient, grain, and a square that moves."""
    height, width = size
    rows, columns = np.linspace(40, 160, height)[:, None, None], np.linspace(0, 60, width)[None, :, None]
    grain = np.random.default_rng(step).normal(0, 4, (height, width, 3))
    drawn = np.clip(rows + columns + grain, 0, 255).astype(np.uint8)
    top, left = height // 3, (step * width) // (2 * EPISODE_STEPS)
    drawn[top : top + height // 5, left : left + width // 5] = (230, 200, 40)
    return drawn


def load(config: Config) -> Times:
    """The dataset into a new run's log, and from there into replay, as a learner does when it begins."""
    shutil.rmtree(config.run_dir)
    config.run_dir.mkdir()
    tune_allocator()  # as a learner does first
    Demonstrations(config, Path(str(config.dataset.root)))  # brings in what is imported at first use
    before_mb = resident_mb()
    start, used = time.perf_counter(), time.process_time()
    feed(config, lambda: None)
    fed = time.perf_counter()
    grown_mb = resident_mb() - before_mb
    features = feature_spec(config)
    replay = Replay(features, 1, config.policy.offline_buffer_capacity)
    intake = Intake(config.run_dir, features)
    for taken in one_ahead(iter(lambda: intake.read_new(RECORDS_AT_ONCE), []), lambda: None):
        for source, records in taken:
            for record in records:
                replay.add(record, source)
    assert replay.demonstration_size, "nothing was taken in"
    return Times(fed - start, time.perf_counter() - fed, time.process_time() - used, grown_mb)


def resident_mb() -> float:
    """Memory of this process at its highest, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def apart(config: Config) -> Times:
    """`load` in a process of its own, for its memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(load, (config,))


def peer(python: str, root: Path) -> Peer:
    """What LeRobot takes."""
    done = subprocess.run([python, "-c", PEER, str(root)], check=True, capture_output=True, text=True)
    return Peer(**json.loads(done.stdout.splitlines()[-1]))


def row(name: str, frames: int, rounds: list[Times]) -> str:
    """Medians of the rounds of one kind of dataset."""
    rates = [frames / median(getattr(times, what) for times in rounds) for what in _TIMED]
    figures = "".join(f"{rate:>{width},.0f}" for rate, width in zip(rates, (12, 11, 8), strict=True))
    used = median(times.used_s for times in rounds) * 1000 / frames
    return f"{name:28}{figures} frames/s{used:6.2f} s{max(times.grown_mb for times in rounds):+8.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kind", choices=_KINDS, nargs="*", default=_KINDS, help="of dataset")
    parser.add_argument("--peer", help="a Python that has LeRobot installed")
    arguments = parser.parse_args()
    frames = arguments.frames // EPISODE_STEPS * EPISODE_STEPS
    print(f"{frames} frames, two cameras, medians of {arguments.rounds} rounds")
    print(f"{'':28}{'into the log':>14}{'into replay':>13}{'together':>10}{'processor':>14}{'memory':>9}")
    with tempfile.TemporaryDirectory() as folder:
        ours: dict[str, list[Times]] = {}
        theirs: list[Peer] = []
        kinds = {name: made(Path(folder), name, frames) for name in arguments.kind}
        for _ in range(arguments.rounds):
            for name, config in kinds.items():
                ours.setdefault(name, []).append(apart(config))
                if arguments.peer and name == _COMPARED:
                    theirs.append(peer(arguments.peer, Path(str(config.dataset.root))))
    for name, rounds in ours.items():
        print(row(name, frames, rounds))
    if theirs:
        seconds, used = median(one.seconds for one in theirs), median(one.used for one in theirs)
        print(f"{f'LeRobot, {theirs[0].decoder}':28}{'':23}{frames / seconds:8,.0f} frames/s"
              f"{used * 1000 / frames:6.2f} s")  # fmt: skip
        own = ours[_COMPARED]
        quicker = seconds / median(times.together_s for times in own)
        cheaper = used / median(times.used_s for times in own)
        print(
            f"{_COMPARED}: {quicker:.1f} times LeRobot's frames/s, with 1/{cheaper:.1f} of its processor time"
        )


def made(folder: Path, name: str, frames: int) -> Config:
    """A dataset of one kind, and a run that takes it."""
    size, kind = name.split()
    place = folder / name.replace(" ", "-")
    config = configured(place, frames, _SIZES[size])
    write_dataset(config, place / "set", frames, _SIZES[size], video=kind == "video")
    return config


if __name__ == "__main__":
    main()
