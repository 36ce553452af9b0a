"""A person looks through a dataset and mends its labels; every answer says what there is now."""

from pathlib import Path

import numpy as np
import pytest

from tests.dataset.demonstrated import frame_of, make
from workers.dataset.browse import Browser
from workers.dataset.errors import DatasetError
from workers.dataset.reader import Dataset
from workers.model.commands import Axis, DeleteEpisode, Jog, Relabel, ShowFrame, UndoEdit
from workers.model.events import EpisodesListed, FrameShown

ROOM = (100, 100)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three episodes; the last one failed."""
    return make(tmp_path / "set", (4, 6, 5))


def shown(browser: Browser, episode: int, frame: int) -> FrameShown:
    answer = browser.answer(ShowFrame(7, episode, frame, ROOM))
    assert isinstance(answer, FrameShown) and answer.number == 7
    return answer


def listed(browser: Browser, command: object) -> EpisodesListed:
    answer = browser.answer(command)  # type: ignore[arg-type]
    assert isinstance(answer, EpisodesListed)
    return answer


def test_the_list_has_every_episode_with_its_outcome(root: Path) -> None:
    stored = Browser(root).listed()
    assert [ep.frames for ep in stored.episodes] == [4, 6, 5]
    assert [(ep.success, ep.reward) for ep in stored.episodes] == [(True, 1.0), (True, 1.0), (False, 0.0)]
    assert [ep.by_person for ep in stored.episodes] == [2, 3, 2]
    assert stored.episodes[0].task == "lift" and stored.cameras == ("front",) and not stored.undo


@pytest.mark.parametrize("video", [False, True])
def test_any_frame_is_shown_as_it_was_recorded(tmp_path: Path, video: bool) -> None:
    browser = Browser(make(tmp_path / "set", (4, 6), video=video))
    for frame in (0, 1, 2, 5, 4, 0):
        answer, recorded = shown(browser, 1, frame), frame_of(1, frame, 6)
        seen = answer.pictures["front"]
        picture = np.frombuffer(seen.rgb, np.uint8).reshape(seen.height, seen.width, 3).astype(int)
        assert np.abs(picture - recorded["observation.images.front"]).mean() < (12 if video else 0.001)
        assert answer.action == {"dx": pytest.approx(frame / 10), "gripper": float(frame % 3)}
        assert (answer.frame, answer.by_person, answer.success) == (frame, frame % 2 == 1, frame == 5)


def test_frames_beyond_the_end_are_the_last_and_episodes_beyond_are_told(root: Path) -> None:
    browser = Browser(root)
    assert shown(browser, 0, 99).frame == 3
    assert "no such episode" in shown(browser, 3, 0).trouble


def test_a_label_is_changed_in_the_dataset_and_changed_back(root: Path) -> None:
    browser = Browser(root)
    after = listed(browser, Relabel(2, success=True))
    assert after.episodes[2].success and after.undo and "episode 2" in after.said
    assert Dataset(root).frames(2, ["next.reward"])["next.reward"].tolist() == [0, 0, 0, 0, 1]
    assert shown(browser, 2, 4).success
    assert not listed(browser, UndoEdit()).episodes[2].success


def test_a_deleted_episode_is_gone_until_it_is_brought_back(root: Path) -> None:
    browser = Browser(root)
    assert [ep.frames for ep in listed(browser, DeleteEpisode(0)).episodes] == [6, 5]
    assert shown(browser, 0, 0).action == {"dx": 0.0, "gripper": 0.0}
    assert [ep.frames for ep in listed(browser, UndoEdit()).episodes] == [4, 6, 5]


def test_an_edit_that_cannot_be_is_told_and_changes_nothing(root: Path) -> None:
    browser = Browser(root)
    assert "9" in listed(browser, DeleteEpisode(9)).said
    assert "nothing was changed" in listed(browser, UndoEdit()).said
    assert len(browser.listed().episodes) == 3


def test_a_dataset_that_changed_since_it_was_shown_is_shown_again_first(root: Path) -> None:
    browser, other = Browser(root), Browser(root)
    listed(other, DeleteEpisode(0))
    after = listed(browser, DeleteEpisode(1))
    assert "has changed" in after.said and [ep.frames for ep in after.episodes] == [6, 5]


def test_a_dataset_without_labels_can_be_looked_through(tmp_path: Path) -> None:
    root = make(tmp_path / "set", (4, 6))
    browser = Browser(root)
    features = browser._dataset.info.features
    for key in ("next.reward", "next.success", "complementary_info.is_intervention"):
        features.pop(key)
    answer = browser.answer(ShowFrame(1, 1, 5, ROOM))
    assert isinstance(answer, FrameShown) and answer.frame == 5 and not answer.success
    assert [ep.success for ep in browser.listed().episodes] == [False, False]


def test_a_command_to_a_run_is_none_of_its_business(root: Path) -> None:
    assert Browser(root).answer(Jog(Axis.X, 1)) is None


def test_what_is_no_dataset_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no dataset"):
        Browser(tmp_path)
