"""Recording into a dataset: what a frame and a saved episode cost, at the start and after many; frames dropped.

Two 640x480 cameras with noise, as a sensor has it. First an hour's work in a row, as fast as it goes: every episode
of the same length. Then in real time at 30 frames a second: a frame is dropped when `add_frame` has not returned
before the next is due.

Run: python -m benchmarks.dataset [--episodes N] [--frames N] [--seconds N] [--folder DIR]
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.dataset.layout import Column
from workers.dataset.writer import DatasetWriter

FPS = 30
HEIGHT, WIDTH = 480, 640
_PICTURE = Column("image", (HEIGHT, WIDTH, 3), ("height", "width", "channels"))
COLUMNS = {
    "observation.state": Column("float32", (18,)),
    "action": Column("float32", (4,)),
    "next.reward": Column("float32", (1,)),
    "next.done": Column("bool", (1,)),
    "observation.images.front": _PICTURE,
    "observation.images.side": _PICTURE,
}
Frame = dict[str, NDArray[Any]]


def scene(count: int) -> list[Frame]:
    """Frames of something that moves before a still background, with the noise of a camera (sigma 3)."""
    rng = np.random.default_rng(0)
    rows, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    still = np.stack([rows / 3, across / 4, (rows + across) / 6], axis=-1) + 20
    return [
        {
            "observation.state": rng.normal(size=18).astype(np.float32),
            "action": rng.uniform(-1, 1, 4).astype(np.float32),
            "next.reward": np.array(0, np.float32),
            "next.done": np.array(False),
            "observation.images.front": _with_noise(still, number, rng),
            "observation.images.side": _with_noise(still[:, ::-1], number, rng),
        }
        for number in range(count)
    ]


def _with_noise(still: NDArray[np.float64], number: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    picture = still + rng.normal(0, 3, still.shape)
    left = 40 + 4 * number
    picture[200:280, left : left + 80] = (200, 40, 30)
    return picture.clip(0, 255).astype(np.uint8)


def resident_mb() -> float:
    """Memory of this process that is not in files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise LookupError("no RssAnon in /proc/self/status")


def in_a_row(root: Path, video: bool, episodes: int, frames: list[Frame]) -> None:
    """Many episodes at the pace of the cameras' frames; tells the first, the last, and the memory in between."""
    writer = DatasetWriter.open(root, COLUMNS, FPS, None, video=video)
    costs: list[NDArray[np.float64]] = []
    saves, memory = [], []
    for _ in range(episodes):
        costs.append(
            np.array([timed(lambda frame=frame: writer.add_frame(frame), 0.6 / FPS) for frame in frames])
        )
        saves.append(timed(lambda: writer.save_episode("lift"), 0))
        memory.append(resident_mb())
    writer.close()
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    few = max(1, min(10, episodes // 4))
    print(f"{'video' if video else 'PNG'}, {episodes} episodes of {len(frames)} frames, {size / 1e6:.0f} MB")
    for name, part in (("first", slice(1, 1 + few)), ("last", slice(episodes - few, None))):
        p50, p99 = np.percentile(np.concatenate(costs[part]), [50, 99]) * 1e3
        save = np.median(saves[part]) * 1e3
        print(
            f"  {name:5s} {few:2d} episodes: add_frame p50 {p50:5.2f} ms, p99 {p99:5.2f} ms; save {save:6.1f} ms"
        )
    print(f"  memory after episode 10: {memory[few]:.0f} MB, after {episodes}: {memory[-1]:.0f} MB")


def timed(work: Any, period_s: float) -> float:
    """Seconds that `work` takes; returns when `period_s` have passed since it began."""
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    time.sleep(max(0.0, period_s - took))
    return took


def in_real_time(root: Path, video: bool, seconds: float, frames: list[Frame]) -> None:
    """One episode, each frame when it is due; those that came too late are counted."""
    writer = DatasetWriter.open(root, COLUMNS, FPS, None, video=video)
    writer.add_frame(frames[0])
    writer.drop_episode()  # the encoder is loaded
    late, costs, busy = 0, [], time.process_time()
    start = time.perf_counter()
    for number in range(int(seconds * FPS)):
        due = start + number / FPS
        if (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        costs.append(timed(lambda number=number: writer.add_frame(frames[number % len(frames)]), 0))
        late += time.perf_counter() > due + 1 / FPS
    passed = time.perf_counter() - start
    busy = time.process_time() - busy
    save = timed(lambda: writer.save_episode("lift"), 0)
    writer.close()
    print(
        f"{'video' if video else 'PNG'}, {seconds:g} s in real time: {late} of {len(costs)} frames dropped, add_frame"
        f" p99 {np.percentile(costs, 99) * 1e3:.2f} ms, {busy / passed * 100:.0f} % of a core, save {save * 1e3:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--frames", type=int, default=60, help="of each of them")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured; some GB")
    options = parser.parse_args()
    frames = scene(options.frames)
    print(f"two cameras {WIDTH}x{HEIGHT} at {FPS} frames a second, {os.cpu_count()} cores")
    for video in (True, False):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            in_real_time(Path(folder) / "set", video, options.seconds, frames)
    for video in (True, False):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            in_a_row(Path(folder) / "set", video, options.episodes, frames)


if __name__ == "__main__":
    main()
