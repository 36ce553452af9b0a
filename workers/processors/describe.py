"""A pipeline in words: every step, with the shapes that go in and come out."""

from collections.abc import Iterator

from workers.processors.build import Pipelines
from workers.processors.features import Features
from workers.processors.pipeline import Line

_WIDTH = 37  # of the column of names; the longest is complementary_data.raw_joint_positions


def described(pipelines: Pipelines) -> str:
    """Both pipelines step by step, and what one step leaves in log, replay and dataset."""
    environment, action = pipelines.lines()
    parts = [
        *_pipeline(
            "Environment pipeline: from the sensors to the policy", pipelines.raw_observation, environment
        ),
        *_pipeline("Action pipeline: from policy and person to the arm", pipelines.raw_action, action),
        "Stored of every step, in log, replay and dataset",
        *(f"    {key:<{_WIDTH}} {feature}" for key, feature in sorted(pipelines.stored.items())),
        *_elements(pipelines),
    ]
    return "\n".join(parts)


def _pipeline(title: str, raw: Features, lines: list[Line]) -> Iterator[str]:
    yield title
    yield "  in"
    yield from (f"    {key:<{_WIDTH}} {feature}" for key, feature in raw.items())
    before = raw
    for number, (step, after) in enumerate(lines, start=1):
        yield f"  {number}. {step}"
        yield from _changes(before, after)
        before = after
    yield ""


def _changes(before: Features, after: Features) -> Iterator[str]:
    """What a step makes and what it changes, with the shapes that went in."""
    changed = [key for key in after if before.get(key) != after[key]]
    for key in changed:
        came = f"{before[key]} -> " if key in before else ""
        yield f"    {key:<{_WIDTH}} {came}{after[key]}"
    if not changed:
        yield "    (the shapes stay as they are)"


def _elements(pipelines: Pipelines) -> Iterator[str]:
    """The names of the elements of state and action, in their order."""
    for key in ("observation.state", "action"):
        names = pipelines.stored[key].names
        yield f"  elements of {key}"
        for first in range(0, len(names), 4):
            yield "    " + ", ".join(names[first : first + 4])
