"""Two network cameras at 640x480 and 30 fps: how old their pictures are, what they cost, what a lost one does.

Ages are from a time stamp that the camera draws into the picture to its first sight in shared memory: JPEG, HTTP,
decoding and publishing are in them. Then a whole run (simulated arm, learner, both cameras) loses one camera and gets
it back, and a console takes the times.

    python -m benchmarks.camera --seconds 20 --losses 5
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import resource
import signal
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tests.altered import altered
from tests.config.effect_tools import FakeDesk
from tests.emulators.mjpeg_camera import MjpegCamera, mjpeg_camera
from tests.station.camera_run import NAMES, camera_run
from tests.station.console import Console
from workers.camera.worker import main as camera_main
from workers.config import Config
from workers.emulator.card import read_stamp
from workers.model import commands as c
from workers.model.events import Driver, GateMode
from workers.robot.board import Board

WIDTH, HEIGHT, FPS = 640, 480, 30.0
WARM_UP_S = 2.0
LIMIT_S = 60.0


def work(config: Config, name: str, board: Board, seconds: float, answer: Connection) -> None:
    """A camera worker for so long; answers with the share of a core that it used."""
    began_s, used_s = 0.0, 0.0

    def going() -> bool:
        nonlocal began_s, used_s
        now_s = time.monotonic()
        if not began_s and board.frames[name].read() is not None:
            began_s, used_s = now_s, _cpu_s()
        return not began_s or now_s - began_s < seconds

    camera_main(FakeDesk([], going), config, name, board)  # type: ignore[arg-type]
    answer.send((_cpu_s() - used_s) / (time.monotonic() - began_s))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ages(cameras: tuple[MjpegCamera, MjpegCamera], seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds of every picture after a warm-up, and the CPU share of each worker."""
    context = multiprocessing.get_context("spawn")
    keys = {"type": "opencv", "width": WIDTH, "height": HEIGHT, "fps": FPS, "view": None}
    tables = {
        name: {**keys, "index_or_path": camera.url} for name, camera in zip(NAMES, cameras, strict=True)
    }
    config = altered({"env.robot.cameras": tables})
    board = Board.create(context, dict.fromkeys(NAMES, (HEIGHT, WIDTH)))
    ours, theirs = context.Pipe(duplex=False)
    arguments = [(config, name, board, seconds, theirs) for name in NAMES]
    processes = [context.Process(target=work, args=one, daemon=True) for one in arguments]
    for process in processes:
        process.start()
    seen, found, first_s = dict.fromkeys(NAMES, 0), list[float](), 0.0
    while any(process.is_alive() for process in processes):
        for name in NAMES:
            now_us = time.monotonic_ns() / 1e3
            read = board.frames[name].read(after=seen[name])
            if read is None:
                continue
            seen[name] = read[0]
            first_s = first_s or now_us / 1e6
            if now_us / 1e6 - first_s > WARM_UP_S:
                found.append((now_us - read_stamp(read[1]["pixels"])) / 1e3)
        time.sleep(0.002)
    return found, [ours.recv() for _ in processes]


async def losses(
    folder: Path, cameras: tuple[MjpegCamera, MjpegCamera], count: int
) -> list[tuple[float, float, float]]:
    """Of each loss: seconds to the word, to HOLD on the arm, and from the return to a driver again."""
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    run = camera_run(folder, (cameras[0].url, cameras[1].url), WIDTH, HEIGHT)
    rows, console = [], None
    try:
        console = await Console.attach(run.run_dir)
        await console.send(c.StartRun())
        await _until(console, lambda: len(console.state.episodes) > 0)
        for number in range(count):
            await _until(console, lambda: _driven(console))
            await _pass(console, random.uniform(0.5, 1.0))
            await _until(console, lambda: _driven(console))
            began_s = time.monotonic()
            cameras[1].script(fault=("stall", "close")[number % 2])
            said_s = await _until(console, lambda: console.state.control.driver is Driver.NOBODY)
            held_s = await _until(console, lambda: console.state.arm.mode is GateMode.HOLD)
            await _pass(console, 1.0)
            back_s = time.monotonic()
            cameras[1].script(fault="")
            again_s = await _until(console, lambda: _driven(console))
            rows.append((said_s - began_s, held_s - began_s, again_s - back_s))
    finally:
        if console is not None:
            console.leave()
        await asyncio.to_thread(run.end, signal.SIGTERM)
    return rows


def _driven(console: Console) -> bool:
    return console.state.control.driver is not Driver.NOBODY and console.state.arm.mode is GateMode.ENGAGED


async def _pass(console: Console, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        await console.next_batch()


async def _until(console: Console, condition: Callable[[], bool]) -> float:
    """When it came true."""
    until_s = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > until_s:
            raise TimeoutError(f"{console.state.control.reason!r} after {LIMIT_S:.0f} s")
        await console.next_batch()
    return time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--losses", type=int, default=6)
    args = parser.parse_args()
    size = ("--width", str(WIDTH), "--height", str(HEIGHT))
    with mjpeg_camera(*size) as front, mjpeg_camera(*size, "--view", "wrist") as side:
        found, cpu = ages((front, side), args.seconds)
        p50, p99 = np.percentile(found, (50, 99))
        print(f"two cameras, {WIDTH}x{HEIGHT} at {FPS:g} fps, {len(found)} pictures, {os.cpu_count()} cores")
        print(f"  drawn to shared memory: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {max(found):.1f} ms")
        print(f"  camera workers: {', '.join(f'{100 * share:.1f} %' for share in cpu)} of a core each")
        with tempfile.TemporaryDirectory() as folder:
            rows = asyncio.run(losses(Path(folder), (front, side), args.losses))
    print(f"{len(rows)} losses in a run, stalled and closed in turn; seconds: median, longest")
    for words, column in zip(
        ("loss to the word", "loss to HOLD", "return to driving"), zip(*rows, strict=True), strict=True
    ):
        print(f"  {words}: {np.median(column):.2f}, {max(column):.2f}")


if __name__ == "__main__":
    main()
