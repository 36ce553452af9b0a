"""What the console offers is what can be done now: in the footer, and as the next step on Home and on empty screens."""

from dataclasses import replace as changed
from pathlib import Path

import pytest
from msgspec.structs import replace

from hilserl_tui.panes.classifier_training import ClassifierProgressPane
from hilserl_tui.panes.crop_figures import CropFigures
from hilserl_tui.view import Link, View
from tests.console import demo
from tests.console.cropping import written_config
from tests.console.looker import Looker
from tests.console.still import Still
from tests.console.test_bounds import surveyed
from tests.console.test_screens import LARGE, SIZES, SMALL, drawn, stopped
from workers.model import commands as c
from workers.model import events as e
from workers.model.classifier_training import ClassifierTraining
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

THEIRS = e.OperatorChanged(False, 2, "kim@pts/3.99")
BEGUN = reduce(demo.fold(demo.opening()), e.PhaseChanged(e.Phase.TRAINING))


def recording(state: ConsoleState) -> ConsoleState:
    return reduce(state, replace(demo.OPENED, mode="record", trains=False))


@SIZES
@pytest.mark.parametrize("link", [Link.DOWN, Link.CONNECTING])
@pytest.mark.parametrize("key", ["1", "2", "4", "5", "6"])
async def test_without_a_link_no_key_is_offered_that_needs_one(size, link: Link, key: str) -> None:
    footer = (await drawn(Still(demo.training(), link), size, key))[-1]
    for label in ("Take over", "Success", "Fail", "Pause", "Start", "Write", "Move"):
        assert label not in footer
    assert "STOP" in footer and "Keys" in footer and "Quit" in footer


@SIZES
@pytest.mark.parametrize("state", [demo.training(), stopped(), surveyed()])
async def test_who_watches_is_offered_the_controls_and_no_key_that_needs_them(
    size, state: ConsoleState
) -> None:
    footer = (await drawn(Still(reduce(state, THEIRS)), size))[-1]
    assert " g  Get controls" in footer and "STOP" in footer
    for label in ("Take over", "Success", "Pause", "Clear stop", "Done"):
        assert label not in footer


async def test_no_key_ends_an_episode_before_there_is_one() -> None:
    before = (await drawn(Still(BEGUN), LARGE))[-1]
    assert "Take over" in before and "Pause" in before
    assert not any(label in before for label in ("Success", "Fail", "Rerecord"))
    during = (await drawn(Still(demo.training()), LARGE))[-1]
    assert all(label in during for label in ("Success", "Fail", "Rerecord"))


async def test_no_key_ends_an_episode_that_is_over() -> None:
    waits = e.DriverChanged(e.Driver.NOBODY, "the learner prepares the first policy")
    client = Still(reduce(demo.training(), waits))
    rows = await drawn(client, LARGE, "s")
    assert not any(label in rows[-1] for label in ("Success", "Fail", "Rerecord"))
    assert not any(isinstance(one, c.Mark) for one in client.sent), "it would be for the next episode"


async def test_an_evaluation_is_offered_once_there_is_a_policy_and_none_runs() -> None:
    tries = reduce(demo.training(), e.PhaseChanged(e.Phase.EVALUATING, "the policy alone", 2, 10))
    for state, offered in ((BEGUN, False), (demo.training(), True), (tries, False)):
        assert (" e  Evaluate" in (await drawn(Still(state), LARGE))[-1]) is offered
    home = "\n".join(await drawn(Still(tries), SMALL, "1"))
    assert "next   6  watch the trials" in home and "help it train" not in home


async def test_an_episode_that_has_not_begun_has_no_step() -> None:
    begins = reduce(demo.training(), e.EpisodeStarted(85, e.EpisodeKind.TRAINING))
    top = (await drawn(Still(begins), LARGE))[0]
    assert "ep  85   step   –" in top and "0/0" not in top


async def test_who_gave_the_arm_back_may_end_the_episode_at_once() -> None:
    client = Still(reduce(demo.training(), e.DriverChanged(e.Driver.NOBODY, e.GIVEN_BACK)))
    await drawn(client, LARGE, "f")
    assert c.Mark(c.Verdict.FAILURE) in client.sent


@SIZES
async def test_home_says_what_may_come_after_a_run(size) -> None:
    trained = demo.training()
    recorded = reduce(recording(trained), e.DatasetOpened("runs/x/dataset", 12, 900, 1))
    for state, good, words in (
        (trained, True, "hilserl-tui evaluate configs/sim_pick_lift.toml  tries the policy"),
        (trained, False, "hilserl-tui configs/sim_pick_lift.toml  goes on where it stopped"),
        (recorded, True, "hilserl-tui episodes runs/x/dataset  looks through them"),
    ):
        over = reduce(state, e.RunEnded("somebody stopped it", succeeded=good))
        text = "\n".join(await drawn(Still(over), size, "1"))
        assert words in text and "leaves and ends the station" in text


async def test_nothing_is_counted_by_workers_that_start() -> None:
    footer = (await drawn(Still(surveyed(None, e.Driver.NOBODY)), LARGE, "3"))[-1]
    assert "Take over" in footer and "Done" not in footer and "Start over" not in footer
    assert "Done" in (await drawn(Still(surveyed()), LARGE, "3"))[-1]


@pytest.mark.parametrize(
    ("key", "here", "there"), [("1", "1  Home", "2  Train"), ("2", "2  Train", "1  Home")]
)
async def test_a_screen_does_not_offer_the_key_to_itself(key: str, here: str, there: str) -> None:
    footer = (await drawn(Still(stopped()), SMALL, key))[-1]
    assert here not in footer and there in footer


async def test_the_job_is_called_as_on_top() -> None:
    rows = await drawn(Still(recording(stopped())), SMALL, "1")
    assert "2 Record" in rows[3] and "2  Record" in rows[-1]


async def test_the_job_of_a_run_that_looks_for_bounds_is_on_the_bounds_screen() -> None:
    """Train would show a learner that such a run has not."""
    for keys in ("2", "c c", "c 2"):
        rows = await drawn(Still(surveyed()), LARGE, *keys.split())
        text = "\n".join(rows)
        assert "what now" in text and "replay" not in text, keys
        assert "2 Train" not in rows[1] and "3 Bounds" in rows[1]
    alone = "\n".join(await drawn(Still(surveyed()), LARGE, "2", "c"))
    assert "front" in alone and "what now" not in alone


@SIZES
@pytest.mark.parametrize(
    ("state", "link", "words"),
    [
        (demo.training(), Link.DOWN, "next  wait: the console comes back by itself"),
        (stopped(), Link.UP, "next   ctrl+e  then y: clear the stop"),
        (reduce(demo.training(), THEIRS), Link.UP, "next   g  take the controls from kim@pts/3.99"),
        (demo.training(), Link.UP, "next   2  watch and help it train"),
    ],
    ids=["lost", "stopped", "watching", "well"],
)
async def test_home_names_what_comes_first(size, state: ConsoleState, link: Link, words: str) -> None:
    assert words in "\n".join(await drawn(Still(state, link), size, "1"))


async def test_home_offers_an_evaluation_only_of_a_policy_that_there_is() -> None:
    asks = "e asks for one"
    assert asks not in "\n".join(await drawn(Still(BEGUN), LARGE, "1"))
    assert asks in "\n".join(await drawn(Still(demo.training()), LARGE, "1"))
    over = reduce(demo.training(), e.RunEnded("the steps are made", succeeded=True))
    assert asks not in "\n".join(await drawn(Still(over), LARGE, "1"))


def in_words(pane: CropFigures | ClassifierProgressPane, view: View, width: int = 28) -> str:
    return " ".join("".join(text for text, _ in row).strip() for row in pane.rows(view, width, 6))


@SIZES
async def test_the_crop_screen_says_what_it_waits_for(size, tmp_path: Path) -> None:
    looker = Looker(written_config(tmp_path))
    looker.mute = True
    text = "\n".join(await drawn(looker, size, "4"))
    assert "waiting for a picture of" in text and "no picture yet" not in text
    no_camera = Still(reduce(demo.fold(demo.opening()), replace(demo.OPENED, cameras=())))
    assert "this run has no camera" in "\n".join(await drawn(no_camera, size, "4"))


def test_a_camera_that_is_ill_is_named_with_its_reason_where_its_picture_is_waited_for() -> None:
    pane = CropFigures()
    pane.choice = changed(pane.choice, cameras=("front", "side"))
    ill = e.WorkerChanged("camera-front", e.WorkerState.RESTARTING, "no frame for 2 s: its plug?", 1)
    view = View(reduce(demo.training(), ill), Link.UP)
    assert in_words(pane, view) == "waiting for a picture of front: no frame for 2 s: its plug?"


def test_a_table_of_a_failed_training_stays_in_its_lines_where_it_can() -> None:
    pane, view = ClassifierProgressPane(), View(demo.training(), Link.UP)
    table = f"{'':28}episodes  no success  success\n  runs/record/dataset        10          84       10"
    pane.training = ClassifierTraining(failed=f"too little:\n{table}")
    rows = ["".join(text for text, _ in row).split() for row in pane.rows(view, 44, 20)]
    assert ["episodes", "no", "success", "success"] in rows and [
        "runs/record/dataset",
        "10",
        "84",
        "10",
    ] in rows


def test_a_training_says_that_it_starts_before_its_first_word_and_how_to_try_again_after_a_failure() -> None:
    pane, view = ClassifierProgressPane(), View(demo.training(), Link.UP)
    pane.training = ClassifierTraining()
    assert in_words(pane, view, 44) == "it starts and counts the frames of its datasets"
    pane.training = ClassifierTraining(failed="there is no success in it")
    assert in_words(pane, view, 44) == "no classifier was made there is no success in it enter  tries again"
