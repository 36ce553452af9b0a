"""What a reward classifier makes of wrong labels, another light and a thing in the way, on the simulated task.

Datasets of `configs/sim_classifier.toml` (two of three episodes fail) with planted faults; the classifier trained from
each is judged on fresh episodes, by the simulator's word: as they were recorded, in another light, and with a thing on
the table. Frames are counted without the first after a change of the label, which may show either; episodes by the
recommended threshold and 3 of 4 votes, as a run decides them.

Run: python -m benchmarks.classifier_noise --seeds 1 2 3
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import torch

from benchmarks.classifier_data import Pictures, record
from workers.config import Config, load
from workers.dataset.edit import relabel
from workers.dataset.reader import Dataset
from workers.model.classifier_events import ClassifierReported, SweepRow
from workers.processors.features import IMAGES, REWARD
from workers.reward.checkpoint import load_classifier, read_description
from workers.reward.figures import Judged, Rule, sweep_row
from workers.reward.job import train_classifier
from workers.reward.model import RewardClassifier

WRONG_FRAMES = 0.03
WRONG_EPISODES = 0.1  # of those with success, and of those without
HELD_OUT = "held out"  # by the planted labels, as the report has it
FRESH = 40  # episodes that each classifier is judged by
THING = (40, 60, 200)  # red, green and blue, in any order
RULE = Rule(3, 4)
Seen = Callable[[int, Pictures], Pictures]


class Figures(NamedTuple):
    """Of one classifier on fresh episodes of one kind."""

    planted: str
    judged: str
    seed: int
    row: SweepRow
    seconds: float
    """Of processor time, that the training took."""


def main(given: Sequence[str] | None = None) -> list[Figures]:
    """The table, printed and returned."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", default="configs/sim_classifier.toml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--planted", nargs="+", default=list(PLANTED), choices=list(PLANTED))
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(given)
    print(
        f"{'planted':24}{'judged':14}{'seed':>5}{'frames':>9}{'precision':>11}{'recall':>8}{'cpu':>8}",
        flush=True,
    )
    found = []
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as folder:
            for figures in measured(args, seed, Path(folder)):
                found.append(figures)
                _print(figures)
    return found


def measured(args: argparse.Namespace, seed: int, folder: Path) -> Iterator[Figures]:
    """Train from every kind of dataset, judge by every kind of fresh episodes."""
    fresh = {name: _fresh(args, seed, folder, name) for name in JUDGED}
    for planted in args.planted:
        plant, seen = PLANTED[planted]
        config = config_of(args, folder, f"planted-{list(PLANTED).index(planted)}", seed)
        root = record(config, seed, seen)
        plant(root, np.random.default_rng([seed, 3]))
        judge = folder / f"judge-{list(PLANTED).index(planted)}"
        began_s = time.process_time()
        report = train_classifier(config, [str(root)], judge, lambda event: None)
        seconds = time.process_time() - began_s
        yield Figures(planted, HELD_OUT, seed, report.recommended, seconds)
        classifier = load_classifier(judge, read_description(judge).architecture.cameras)
        for name, root_of in fresh.items():
            yield Figures(planted, name, seed, judged_on(classifier, root_of, report), seconds)


def config_of(args: argparse.Namespace, folder: Path, name: str, seed: int, **simulation: float) -> Config:
    """A recording of its own."""
    data = msgspec.to_builtins(load(Path(args.config)))
    data["run"] |= {"seed": seed, "directory": str(folder), "name": name}
    data["dataset"] |= {"root": str(folder / f"data-{name}"), "video": False}
    data["reward_classifier"]["torch_threads"] = args.threads
    data["env"]["simulation"] |= simulation
    return msgspec.convert(data, Config)


def judged_on(classifier: RewardClassifier, root: Path, report: ClassifierReported) -> SweepRow:
    """The figures of a dataset at the recommended threshold."""
    dataset = Dataset(root)
    episodes = []
    for number in range(len(dataset.episodes)):
        frames = dataset.frames(number)
        seen = {camera: torch.from_numpy(frames[IMAGES + camera]) for camera in classifier.cameras}
        found = classifier.success_probability(seen).numpy().astype(np.float64)
        episodes.append(Judged(found, np.asarray(frames[REWARD]).reshape(-1) > 0))
    return sweep_row(episodes, report.success_threshold, RULE)


def _fresh(args: argparse.Namespace, seed: int, folder: Path, name: str) -> Path:
    seen, simulation = JUDGED[name]
    config = config_of(args, folder, f"fresh-{list(JUDGED).index(name)}", seed, **simulation)
    data = msgspec.to_builtins(config)
    data["dataset"]["num_episodes_to_record"] = FRESH
    return record(msgspec.convert(data, Config), 1000 + seed, seen)


# What is planted


def nothing(root: Path, rng: np.random.Generator) -> None:
    """The labels are right."""


def wrong_frames(root: Path, rng: np.random.Generator) -> None:
    """Single frames with the other label, anywhere."""
    places = [
        (episode, frame, reward > 0)
        for episode, rewards in enumerate(_rewards(root))
        for frame, reward in enumerate(rewards)
    ]
    for at in rng.choice(len(places), round(WRONG_FRAMES * len(places)), replace=False).tolist():
        episode, frame, success = places[at]
        relabel(root, [episode], success=not success, frames=(frame, frame + 1))


def wrong_episodes(root: Path, rng: np.random.Generator) -> None:
    """Successes that nobody marked, and failures whose second half somebody marked."""
    rewards = _rewards(root)
    shown = np.array([bool((of > 0).any()) for of in rewards])
    for episode in _tenth(np.flatnonzero(shown), rng):
        relabel(root, [episode], success=False)
    for episode in _tenth(np.flatnonzero(~shown), rng):
        length = len(rewards[episode])
        relabel(root, [episode], success=True, frames=(length // 2, length))


def _tenth(episodes: np.ndarray, rng: np.random.Generator) -> list[int]:
    drawn: list[int] = rng.choice(episodes, round(WRONG_EPISODES * len(episodes)), replace=False).tolist()
    return drawn


def _rewards(root: Path) -> list[np.ndarray]:
    dataset = Dataset(root)
    return [
        np.asarray(dataset.frames(number, [REWARD])[REWARD]).reshape(-1)
        for number in range(len(dataset.episodes))
    ]


def as_it_is(episode: int, made: Pictures) -> Pictures:
    return made


def with_a_thing(episode: int, made: Pictures) -> Pictures:
    """A thing as wide as the cube and twice as high stands at the edge of the table, another in each episode."""
    rng = np.random.default_rng([episode, 5])
    shown = {}
    for name, picture in made.items():
        height, width = picture.shape[:2]
        left, top = int(rng.uniform(0.05, 0.85) * width), int(rng.uniform(0.55, 0.75) * height)
        shown[name] = picture.copy()
        shown[name][top : top + height // 5, left : left + width // 12] = rng.permutation(THING)
    return shown


def partly_changed(episode: int, made: Pictures) -> Pictures:
    """Half of the episodes in less and warmer light, and a thing in a fifth of them."""
    if episode % 8 < 4:
        made = {name: np.clip(of * (0.7, 0.62, 0.55), 0, 255).astype(np.uint8) for name, of in made.items()}
    return with_a_thing(episode, made) if episode % 5 == 0 else made


PLANTED: dict[str, tuple[Callable[[Path, np.random.Generator], None], Seen]] = {
    "nothing": (nothing, as_it_is),
    "3 % of the frames": (wrong_frames, as_it_is),
    "10 % of the episodes": (wrong_episodes, as_it_is),
    "light, things, 3 %": (wrong_frames, partly_changed),
}
JUDGED: dict[str, tuple[Seen, dict[str, float]]] = {
    "as recorded": (as_it_is, {}),
    "another light": (as_it_is, {"light": 1.0}),
    "with a thing": (with_a_thing, {}),
}


def _print(of: Figures) -> None:
    row = of.row
    print(
        f"{of.planted:24}{of.judged:14}{of.seed:5}{_percent(row.frames.accuracy):>9}"
        f"{_percent(row.episodes.precision):>11}{_percent(row.episodes.recall):>8}{of.seconds:6.0f} s",
        flush=True,
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    main()
