"""Similar runs: when others with the same task first succeeded alone, as their files beside this run tell.

A run keeps `metrics_episodes.jsonl`, a line for every training episode, and `events.jsonl`, whose first line
says which task it had. A run counts when it went on to a second success alone: the first may be luck.
"""

import json
from pathlib import Path
from statistics import median

from workers.model.advice import Typical
from workers.model.places import EVENTS_NAME

EPISODES_NAME = "metrics_episodes.jsonl"
RUNS_LOOKED_AT = 50
LONGEST_HEAD = 65_536  # bytes in which a run says what it is
OURS: Typical = (1_400, "in this product's benchmark the policy was at 90 %")
"""configs/sim_pick_lift.toml, two seeds of an earlier version: a simulator and 20 demonstrations."""


def typical(run_dir: Path, task: str) -> Typical:
    """The median over the other runs in the same folder, or of our own benchmark where there is none."""
    found: list[int] = []
    try:
        others = sorted(path for path in run_dir.absolute().parent.iterdir() if path.is_dir())
    except OSError:
        others = []
    for other in others[:RUNS_LOOKED_AT]:
        if other != run_dir.absolute() and _task(other) == task:
            steps = _first_alone(other / EPISODES_NAME)
            found += [] if steps is None else [steps]
    if not found:
        return OURS
    many = f"{len(found)} runs of this task" if len(found) > 1 else "the other run of this task"
    return round(median(found)), f"{many} first did"


def _task(run_dir: Path) -> str:
    try:
        with (run_dir / EVENTS_NAME).open("rb") as file:
            for line in file.read(LONGEST_HEAD).splitlines():
                event = json.loads(line)["event"]
                if event["type"] == "RunOpened":
                    return str(event["task"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return ""


def _first_alone(path: Path) -> int | None:
    """Environment steps of training at the first of two successes alone, None where there were none."""
    seen: int | None = None
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return None
    for line in lines:
        try:
            episode = json.loads(line)
            if episode["episode_success"] and not episode["intervened"]:
                if seen is not None:
                    return seen
                seen = int(episode["env_steps"])
        except (ValueError, KeyError, TypeError):
            continue  # torn by a crash
    return None
