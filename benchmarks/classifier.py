"""What a reward classifier costs the actor: one decision, of two 128x128 cameras, on one core.

Run: python -m benchmarks.classifier [--decisions N]
Each row is an encoder with weights of chance, built, saved and loaded as an actor does. Printed are milliseconds of
`success_probability` of one observation (the shortest, which other load disturbs least, median and 95th percentile)
beside what it may take, and the megabytes of the checkpoint. The process is held on one core, torch on one thread.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from workers.config import ClassifierConfig
from workers.learner.backbones import ResNet10
from workers.reward.architecture import architecture_of
from workers.reward.checkpoint import load_classifier, save_classifier
from workers.reward.model import RewardClassifier

CAMERAS = {"front": (128, 128), "side": (128, 128)}
LIMIT_MS = {"cnn": 10.0, "resnet10": 40.0}
WARM_UP = 10


def measure(name: str, decisions: int, folder: Path) -> tuple[np.ndarray, float]:
    """Milliseconds of each decision, and megabytes of the checkpoint."""
    model_name = name
    if name == "resnet10":  # from a file: nothing is downloaded
        model_name = str(folder / "resnet10.safetensors")
        save_file({key: of.contiguous() for key, of in ResNet10().state_dict().items()}, model_name)
    classifier = RewardClassifier(architecture_of(ClassifierConfig(model_name=model_name), CAMERAS))
    description = save_classifier(folder / name, classifier)
    loaded = load_classifier(folder / name, CAMERAS)
    rng = np.random.default_rng(0)
    taken = []
    for _ in range(WARM_UP + decisions):
        seen = {
            camera: torch.from_numpy(rng.integers(0, 256, (1, *size, 3), dtype=np.uint8))
            for camera, size in CAMERAS.items()
        }
        began_s = time.perf_counter()
        float(loaded.success_probability(seen))
        taken.append(1e3 * (time.perf_counter() - began_s))
    return np.array(taken[WARM_UP:]), (folder / name / description.weights).stat().st_size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Cost of a reward classifier's decision.")
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--only", choices=("cnn", "resnet10", "resnet18"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{platform.processor() or platform.machine()}, one core, torch {torch.__version__}")
    print(f"{'encoder':10} {'best ms':>8} {'median ms':>10} {'p95 ms':>8} {'limit ms':>9} {'MB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for name in (given.only,) if given.only else ("cnn", "resnet10", "resnet18"):
            taken, megabytes = measure(name, given.decisions, Path(folder))
            limit = f"{LIMIT_MS[name]:g}" if name in LIMIT_MS else "-"
            p50, p95 = np.percentile(taken, (50, 95))
            print(f"{name:10} {taken.min():8.2f} {p50:10.2f} {p95:8.2f} {limit:>9} {megabytes:7.1f}")


if __name__ == "__main__":
    main()
