"""A frame at which the label changes may show either: it is not learned from."""

from typing import Any

import numpy as np
import pytest

from workers.reward.frames import Frames, Span
from workers.reward.labels import settled
from workers.reward.sources import Episode


def learnt(*episodes: str, held_out: bool = False) -> list[int]:
    """Rows that are learned from, of episodes with labels like "001"."""
    spans, start = [], 0
    nowhere: Any = None
    for number, labels in enumerate(episodes):
        classes = np.array([int(label) for label in labels])
        spans.append(Span(nowhere, Episode(number, classes), start, start + len(labels), held_out))
        start += len(labels)
    return Frames({}, np.zeros(start, np.int64), tuple(spans), ()).rows(held_out).tolist()


@pytest.mark.parametrize(
    ("labels", "left_out"),
    [
        ("000111", [3]),
        ("0011100", [2, 5]),
        ("0000", []),
        ("1111", []),
        ("00001", []),  # it ended with its success: the only picture of one
        ("0010000", [3]),  # LeRobot's key marks a single frame
        ("012", []),
    ],
)
def test_the_first_frame_after_a_change_is_left_out_unless_it_is_the_only_one(
    labels: str, left_out: list[int]
) -> None:
    assert learnt(labels) == [row for row in range(len(labels)) if row not in left_out]


def test_every_episode_begins_anew() -> None:
    assert learnt("0000", "1111", "0011") == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("0000100", "0000000"),
        ("0111011", "0111111"),
        ("0000001", "0000001"),
        ("1000000", "1000000"),
        ("0001100", "0001100"),
        ("1", "1"),
        ("", ""),
    ],
)
def test_of_an_episode_a_label_that_changes_back_at_once_is_not_believed(labels: str, expected: str) -> None:
    found = settled(np.array([letter == "1" for letter in labels], bool))
    assert "".join("01"[int(one)] for one in found) == expected
