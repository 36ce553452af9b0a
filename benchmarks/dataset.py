"""Recording into a dataset: what a frame and a saved episode cost, at the start and after many; frames dropped.

Two 640x480 cameras with noise, as a sensor has it. First in real time at 30 frames a second: a frame is dropped when
`add_frame` has not returned before the next is due. Then many episodes of the same length, and at the end episodes
of the grown dataset and of new ones in turns, so that both meet the same machine.

Every time is also given without what this thread waited for a processor (/proc/thread-self/schedstat, Linux): that is
the machine's doing and not the recorder's. A dropped frame whose time without it fits the period would have been in
time on a machine of its own.

Run: python -m benchmarks.dataset [--episodes N] [--frames N] [--seconds N] [--kind video PNG] [--folder DIR]
[--json FILE]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import as_json
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


class Cost(NamedTuple):
    """Of one call, in seconds."""

    wall: float
    held_up: float
    """Of it, this thread wanted a processor and had none."""

    @property
    def own(self) -> float:
        return self.wall - self.held_up


def cost_of(work: Callable[[], object]) -> Cost:
    held_up, start = waited_s(), time.perf_counter()
    work()
    wall = time.perf_counter() - start
    return Cost(wall, min(wall, waited_s() - held_up))


def waited_s() -> float:
    """How long this thread has waited for a processor since it began, in seconds; 0 where nothing tells."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


def p99s_ms(costs: list[Cost]) -> dict[str, float]:
    """The 99th percentile of the whole time, and of that which was not waited for a processor."""
    return {
        f"add_frame_p99_{what}_ms": float(np.percentile([getattr(cost, what) for cost in costs], 99) * 1e3)
        for what in ("wall", "own")
    }


def shown(p99s: dict[str, float]) -> str:
    whole, own = p99s.values()
    return f"p99 {whole:5.2f} ms ({own:5.2f} without waiting for a processor)"


def recorded(writer: DatasetWriter, frames: list[Frame]) -> tuple[list[Cost], float]:
    """An episode somewhat quicker than the cameras give it: what each frame cost, and saving, in seconds."""
    costs = []
    for frame in frames:
        due = time.perf_counter() + 0.6 / FPS
        costs.append(cost_of(partial(writer.add_frame, frame)))
        time.sleep(max(0.0, due - time.perf_counter()))
    return costs, cost_of(lambda: writer.save_episode("lift")).wall


def in_a_row(folder: Path, video: bool, episodes: int, frames: list[Frame]) -> dict[str, object]:
    """A dataset of many episodes beside new ones, and the memory in between: printed, and as figures."""
    turns = max(1, min(20, episodes // 4))
    grown = DatasetWriter.open(folder / "grown", COLUMNS, FPS, None, video=video)
    memory = []
    for _ in range(episodes - turns):
        recorded(grown, frames)
        memory.append(resident_mb())
    costs: dict[str, list[Cost]] = {"episode 1": [], f"episode {episodes}": []}
    saves: dict[str, list[float]] = {name: [] for name in costs}
    for turn in range(turns):
        new = DatasetWriter.open(folder / f"new-{turn}", COLUMNS, FPS, None, video=video)
        for name, writer in zip(costs, (new, grown), strict=True):
            took, save = recorded(writer, frames)
            costs[name] += took
            saves[name].append(save)
        new.close()
        memory.append(resident_mb())
    grown.close()
    size = sum(path.stat().st_size for path in (folder / "grown").rglob("*") if path.is_file())
    print(
        f"{_kind(video)}, {episodes} episodes of {len(frames)} frames, {size / 1e6:.0f} MB; {turns} in turns"
    )
    figures: dict[str, object] = {"dataset_mb": size / 1e6}
    for name, of in costs.items():
        save = float(np.median(saves[name]) * 1e3)
        p50 = float(np.median([cost.wall for cost in of]) * 1e3)
        print(f"  {name:11s}: add_frame p50 {p50:5.2f} ms, {shown(p99s_ms(of))}; save {save:6.1f} ms")
        figures[name] = {"add_frame_p50_ms": p50, **p99s_ms(of), "save_ms": save}
    few = min(10, len(memory) - 1)
    print(f"  memory after episode {few}: {memory[few]:.0f} MB, at most {max(memory[few:]):.0f} MB later")
    return figures | {"memory_mb": memory[few], "memory_later_at_most_mb": max(memory[few:])}


def in_real_time(root: Path, video: bool, seconds: float, frames: list[Frame]) -> dict[str, object]:
    """One episode, each frame when it is due; those that came too late are counted: printed, and as figures."""
    writer = DatasetWriter.open(root, COLUMNS, FPS, None, video=video)
    writer.add_frame(frames[0])
    writer.drop_episode()  # the encoder is loaded
    late, not_ours, costs, busy = 0, 0, [], time.process_time()
    start = time.perf_counter()
    for number in range(int(seconds * FPS)):
        due = start + number / FPS
        if (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        costs.append(cost_of(partial(writer.add_frame, frames[number % len(frames)])))
        if time.perf_counter() > due + 1 / FPS:
            late += 1
            not_ours += costs[-1].own < 1 / FPS
    passed = time.perf_counter() - start
    busy = time.process_time() - busy
    save = cost_of(lambda: writer.save_episode("lift")).wall
    writer.close()
    print(
        f"{_kind(video)}, {seconds:g} s in real time: {late} of {len(costs)} frames dropped ({not_ours} for want of a"
        f" processor), add_frame {shown(p99s_ms(costs))}, {busy / passed * 100:.0f} % of a core,"
        f" save {save * 1e3:.0f} ms"
    )
    shares = {"frames": len(costs), "dropped": late, "dropped_for_want_of_a_processor": not_ours}
    return {**shares, **p99s_ms(costs), "share_of_a_core": busy / passed, "save_ms": save * 1e3}


def _kind(video: bool) -> str:
    return "video" if video else "PNG"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--frames", type=int, default=60, help="of each of them")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--kind", choices=["video", "PNG"], nargs="*", default=["video", "PNG"])
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured; some GB")
    as_json.add_option(parser)
    options = parser.parse_args()
    frames = scene(options.frames)
    print(f"two cameras {WIDTH}x{HEIGHT} at {FPS} frames a second, {os.cpu_count()} cores")
    kinds = [kind == "video" for kind in options.kind]
    figures: dict[str, object] = {}
    for video in kinds:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            found = in_real_time(Path(folder) / "set", video, options.seconds, frames)
        figures[f"{_kind(video)}, in real time"] = found
    for video in kinds:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            found = in_a_row(Path(folder), video, options.episodes, frames)
        figures[f"{_kind(video)}, {options.episodes} episodes"] = found
    as_json.write(options, figures)


if __name__ == "__main__":
    main()
