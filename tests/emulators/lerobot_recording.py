"""Run by a Python that has LeRobot: a dataset as its gym_manipulator records one, and what LeRobot reads of it.

Features, names and shapes are those of `lerobot.rl.gym_manipulator` (mode = "record"); the numbers come from a file.

Usage: python lerobot_recording.py ROOT NUMBERS.npz READ.npz
"""

import sys

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.rl.buffer import ReplayBuffer

root, given, read = sys.argv[1:]
numbers = np.load(given)
episodes, length, size = numbers["state"].shape
height, width = numbers["front"].shape[2:4]
picture = {"dtype": "video", "shape": (3, height, width), "names": ["channels", "height", "width"]}
one = {"shape": (1,), "names": None}
axes = {"delta_x": 0, "delta_y": 1, "delta_z": 2, "gripper": 3}
dataset = LeRobotDataset.create(
    "somebody/lift",
    10,
    root=root,
    use_videos=True,
    image_writer_threads=2,
    features={
        "action": {"dtype": "float32", "shape": (4,), "names": axes},
        "next.reward": {"dtype": "float32", **one},
        "next.done": {"dtype": "bool", **one},
        "complementary_info.discrete_penalty": {
            "dtype": "float32",
            "shape": (1,),
            "names": ["discrete_penalty"],
        },
        "observation.state": {"dtype": "float32", "shape": (size,), "names": None},
        "observation.images.front": picture,
        "observation.images.side": picture,
    },
)
for episode in range(episodes):
    for step in range(length):
        dataset.add_frame(
            {
                "action": numbers["action"][episode, step],
                "next.reward": numbers["reward"][episode, step : step + 1],
                "next.done": numbers["done"][episode, step : step + 1],
                "complementary_info.discrete_penalty": numbers["penalty"][episode, step : step + 1],
                "observation.state": numbers["state"][episode, step],
                "observation.images.front": numbers["front"][episode, step].transpose(2, 0, 1),
                "observation.images.side": numbers["side"][episode, step].transpose(2, 0, 1),
                "task": "pick up the cube and lift it",
            }
        )
    dataset.save_episode()
dataset.finalize()

reader = LeRobotDataset("somebody/lift", root=root)
keys = ["observation.state", "observation.images.front", "observation.images.side"]
buffer = ReplayBuffer.from_lerobot_dataset(reader, device="cpu", state_keys=keys, optimize_memory=True)
count = len(buffer)
views = {name: buffer.states[f"observation.images.{name}"][:count].numpy() for name in ("front", "side")}
np.savez(
    read,
    state=buffer.states["observation.state"][:count].numpy(),
    action=buffer.actions[:count].numpy(),
    reward=buffer.rewards[:count].numpy(),
    done=buffer.dones[:count].numpy(),
    penalty=buffer.complementary_info["discrete_penalty"][:count].numpy(),
    **{name: np.rint(view * 255).astype(np.uint8).transpose(0, 2, 3, 1) for name, view in views.items()},
)
