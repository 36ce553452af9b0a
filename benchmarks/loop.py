"""What a step of the actor costs besides policy and waiting: both pipelines, two 640x480 cameras, kinematics.

Every switch of the environment pipeline is on; pictures are cropped to 480x480 and resized to 128x128. The arm is
made up: it is where its last goal was. Run on one core: taskset -c 0 python -m benchmarks.loop [--steps N]
[--json FILE]
"""

import argparse
import time
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks import as_json
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.processors.build import arm_pipelines
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.transition import Command, Teleop, Transition
from workers.processors.vanilla_observation import AGENT, PIXELS
from workers.robot.build import kinematics_of
from workers.robot.drivers import ArmReading
from workers.robot.figures import Floats

HEIGHT, WIDTH = 480, 640
CAMERAS = ("front", "side")
CROP = (0, 80, 480, 480)
WARM_UP = 50


def configuration() -> Config:
    """The simulator's file with every switch on and cameras of 640x480."""
    table = msgspec.to_builtins(load(ready_config()))
    table["env"]["robot"]["cameras"] = {
        name: {"type": "sim", "height": HEIGHT, "width": WIDTH, "fps": 30.0} for name in CAMERAS
    }
    processor = table["env"]["processor"]
    processor["observation"]["add_current_to_observation"] = True
    processor["image_preprocessing"]["crop_params_dict"] = {
        f"observation.images.{name}": CROP for name in CAMERAS
    }
    processor["reward_classifier"] = {"pretrained_path": "simulated"}
    processor["reset"]["control_time_s"] = 600.0
    return msgspec.convert(table, Config)


class Loop:
    """Steps of a made-up arm through the real pipelines."""

    def __init__(self, config: Config) -> None:
        self._kinematics = kinematics_of(config)
        self._pipelines = arm_pipelines(config, self._kinematics, "cpu")
        self._rng = np.random.default_rng(0)
        self._pictures = {
            name: self._rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for name in CAMERAS
        }
        self._reading = reading(np.array(config.env.reset_pose), 0.0)
        self._pipelines.action.reset(self._reading)

    def act(self) -> Floats:
        """One action of the policy and one key press of a person through the action pipeline: joint goal [6]."""
        acting = self._pipelines.action
        acting.begin_period()
        action = np.array([*self._rng.uniform(-1, 1, 3), self._rng.integers(3)], np.float32)
        acting.apply(Command(action, None, self._reading))
        press = np.array([0.1, 0.0, 0.0, 1.0], np.float32)
        return acting.apply(Command(press, Teleop(press), self._reading)).goal_deg

    def observe(self, goal_deg: Floats) -> Transition:
        """What the environment pipeline makes of the arm having got there."""
        now = reading(goal_deg.copy(), self._reading.stamp_s + 0.1)
        executed = self._pipelines.action.executed(self._reading, now)
        self._reading = now
        raw = {AGENT: now.joints_deg, PIXELS: self._pictures}
        item = Transition(raw, self._pipelines.action.period, now, info={"executed_action": executed})
        self._pipelines.environment(item)
        return item

    def crop(self) -> None:
        """Crop and resize of one camera."""
        step = ImageCropResizeProcessor({"observation.images.front": CROP}, (128, 128))
        item = Transition(
            {"observation.images.front": self._pictures["front"]}, self._pipelines.action.period
        )
        step(item)


def reading(joints_deg: Floats, stamp_s: float) -> ArmReading:
    return ArmReading(joints_deg, np.zeros(6), stamp_s, np.full(6, 0.2), joints_deg)


def timed(work: Callable[[], object], steps: int) -> NDArray[np.float64]:
    """Milliseconds of each call."""
    for _ in range(WARM_UP):
        work()
    taken = np.empty(steps)
    for step in range(steps):
        started = time.perf_counter()
        work()
        taken[step] = 1e3 * (time.perf_counter() - started)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    as_json.add_option(parser)
    options = parser.parse_args()
    loop = Loop(configuration())
    goal = loop.act()
    rows = {
        "whole step": timed(lambda: loop.observe(loop.act()), options.steps),
        "action pipeline (2 commands)": timed(loop.act, options.steps),
        "environment pipeline": timed(lambda: loop.observe(goal), options.steps),
        "crop and resize, one 640x480 camera": timed(loop.crop, options.steps),
    }
    figures = {
        name: {"p50_ms": np.median(ms), "p99_ms": np.percentile(ms, 99), "max_ms": ms.max()}
        for name, ms in rows.items()
    }
    as_json.write(options, figures)
    print(f"{'':<37}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for name, row in figures.items():
        print(f"{name:<37}" + "".join(f"{value:9.2f}" for value in row.values()))


if __name__ == "__main__":
    main()
