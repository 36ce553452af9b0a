"""A made-up run as an event stream: fixture states for screens, and a recording for the replay."""

import math
import random
from collections.abc import Iterator

from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

OPENED = e.RunOpened(
    run="run-0007",
    run_dir="runs/pick-lift",
    config_path="configs/sim_pick_lift.toml",
    task="pick_lift",
    fps=10.0,
    cameras=("front", "side"),
    ee_min_m=(0.12, -0.18, 0.01),
    ee_max_m=(0.38, 0.18, 0.28),
    online_capacity=30_000,
    offline_capacity=10_000,
    online_ratio=0.5,
    utd_target=2.0,
    demonstrations_wanted=20,
    simulated=True,
)
WORKERS = ("robot", "camera-front", "camera-side", "actor", "learner")
RATES = {
    "robot": (50.0, 20.4),
    "camera-front": (30.1, 36.0),
    "camera-side": (29.9, 37.1),
    "actor": (10.0, 103.0),
}


def picture(camera: str, t: float, side: int = 60) -> bytes:
    """A table, a cube, an arm and a gripper; never a real picture."""
    cube = (0.32 + 0.1 * math.sin(t / 5), 0.68)
    tip = (0.5 + 0.2 * math.sin(t * 0.9), 0.48 + 0.12 * math.cos(t * 0.7))
    if camera == "side":
        tip, cube = (0.75 - tip[0] * 0.5, tip[1]), (0.62, 0.74)
    out = bytearray()
    for row in range(side):
        v = row / side
        for column in range(side):
            out += bytes(_colour(column / side, v, tip, cube))
    return bytes(out)


def _colour(u: float, v: float, tip: tuple[float, float], cube: tuple[float, float]) -> tuple[int, int, int]:
    if abs(u - cube[0]) < 0.05 and abs(v - cube[1]) < 0.05:
        return (206, 62, 48) if v > cube[1] - 0.025 else (232, 98, 82)
    if abs(abs(u - tip[0]) - 0.045) < 0.016 and 0 < v - tip[1] < 0.12:
        return 232, 180, 60
    along = (v - 0.08) / max(0.05, tip[1] - 0.08)
    if 0 <= along <= 1 and abs(u - (0.78 + (tip[0] - 0.78) * along**1.5)) < 0.055 - 0.02 * along:
        return (236, 178, 52) if int(along * 9) % 4 else (58, 62, 70)
    if v > 0.4:
        shade = int(18 * (v - 0.4))
        return 124 + shade, 100 + shade, 78 + shade // 2
    return 52 + int(30 * v), 64 + int(34 * v), 78 + int(36 * v)


def opening(scripted: bool = True) -> Iterator[tuple[float, e.Event]]:
    yield 0.0, OPENED
    for i, worker in enumerate(WORKERS):
        yield 0.1, e.WorkerChanged(worker, e.WorkerState.RUNNING, pid=4000 + i)
    yield 0.1, e.OperatorChanged(scripted=scripted, attached=1, holder="me")
    for worker, (hz, p99) in RATES.items():
        yield 0.2, e.LoopRate(worker, hz, 1000 / hz, p99, 3 if worker == "actor" else 0)


def history(episodes: int = 64, seed: int = 3) -> Iterator[tuple[float, e.Event]]:
    """20 demonstrations, then training that gets better."""
    rng = random.Random(seed)
    done, scripted = e.EndedBy.SUCCESS, e.EpisodeKind.DEMONSTRATION
    for number in range(20):
        yield 1.0, e.EpisodeEnded(number, scripted, 1.0, 52, 52, 1, done, 5.2)
    for number in range(20, 20 + episodes):
        skill = min(0.97, (number - 18) / 48)
        alone = rng.random() < skill
        ended = done if alone or rng.random() < 0.75 else e.EndedBy.TIME_LIMIT
        helped = 0 if alone else rng.randint(12, 30)
        kind = e.EpisodeKind.TRAINING
        yield (
            2.0,
            e.EpisodeEnded(
                number, kind, float(ended is done), 61, helped, int(not alone), ended, 6.1, number
            ),
        )
    losses = {"critic_loss": 0.0113, "actor_loss": -0.842, "temperature": 0.0071, "entropy": 1.62}
    yield 2.0, e.BufferFilled(5_212, 1_840, 1_040, 800, 412_000_000)
    yield 2.0, e.LearnerProgress(10_424, 5_212, 1.98, 21.4, 38, "training", losses)
    yield 2.0, e.PolicySwapped(37, 96.0)
    yield 2.0, e.PhaseChanged(e.Phase.TRAINING, "", 64, 400)
    said = (
        ("station", e.Level.INFO, "run opened, 5 workers up"),
        ("actor", e.Level.INFO, "intervention began: no progress for 6 steps"),
        ("actor", e.Level.INFO, "intervention ended after 21 steps"),
        ("learner", e.Level.WARNING, "update took 131 ms, the target is 50 ms"),
        ("learner", e.Level.INFO, "policy 38 sent"),
        ("camera-side", e.Level.ERROR, "frame 8812 came 61 ms late"),
    )
    for i, (worker, level, text) in enumerate(said):
        yield 3.0, e.LogLine(worker, level, text, 1_795_000_000.0 + 2 * i)


def running(driver: e.Driver, t0: float = 100.0, seconds: float = 8.0) -> Iterator[tuple[float, e.Event]]:
    """An episode under way at 10 Hz, with pictures."""
    yield t0, e.DriverChanged(driver, "")
    yield t0, e.EpisodeStarted(84, e.EpisodeKind.TRAINING)
    for step in range(int(seconds * 10)):
        t = t0 + step / 10
        where = (0.25 + 0.09 * math.sin(t * 0.5), 0.11 * math.sin(t * 0.8), 0.12 + 0.08 * math.cos(t * 0.45))
        yield t, e.ArmMoved(where, 50 + 45 * math.sin(t), e.GateMode.ENGAGED, at_s=t)
        yield t, e.StepTaken(84, step + 1, 100, 0.0, driver)
        if step % 2 == 0:
            for camera in OPENED.cameras:
                yield t, e.FramePreview(camera, 60, 60, picture(camera, t), t)


def fold(*streams: Iterator[tuple[float, e.Event]]) -> ConsoleState:
    state = ConsoleState()
    for stream in streams:
        for _, event in stream:
            state = reduce(state, event)
    return state


def training(driver: e.Driver = e.Driver.POLICY) -> ConsoleState:
    return fold(opening(), history(), running(driver, seconds=4.0))
