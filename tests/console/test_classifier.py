"""The reward classifier on Train and Record: what it says, what it asks, who decided; and data for one."""

import pytest
from msgspec.structs import replace

from hilserl_tui.app import Console
from hilserl_tui.keymap import footer
from hilserl_tui.panes.classifier import ClassifierPane, level, sparkline
from hilserl_tui.screens.arrange import arrange, arrange_record
from hilserl_tui.view import View
from tests.console import demo
from tests.console.still import Still, settle
from tests.console.test_link import up
from tests.console.test_screens import HUGE, LARGE, SIZES, SMALL, drawn
from workers.model import commands as c
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.station.recipes.examination import refusal

USED = e.ClassifierUsed("me/judge", 0.5, 3, 4, veto_s=2.0)
CLASSIFIER, PERSON = e.DecidedBy.CLASSIFIER, e.DecidedBy.PERSON


def opened(used: e.ClassifierUsed | None = USED, **changes: object) -> e.RunOpened:
    return replace(demo.OPENED, classifier=used, **changes)


def judged(
    *events: e.Event, used: e.ClassifierUsed = USED, seen: tuple[float, ...] = (0.02, 0.1, 0.3, 0.7)
) -> ConsoleState:
    """A training run with such a classifier, in its 85th episode."""
    state = demo.fold(demo.opening(), demo.history())
    for event in (
        opened(used),
        e.DriverChanged(e.Driver.POLICY, ""),
        e.EpisodeStarted(84, e.EpisodeKind.TRAINING),
    ):
        state = reduce(state, event)
    for number, p in enumerate(seen):
        votes = sum(one >= used.threshold for one in seen[max(0, number - 3) : number + 1])
        state = reduce(state, e.StepTaken(84, number + 1, 100, 0.0, e.Driver.POLICY, p, votes))
    for event in events:
        state = reduce(state, event)
    return state


def ended(by: e.EndedBy, decided_by: e.DecidedBy, vetoes: int = 0) -> e.EpisodeEnded:
    return e.EpisodeEnded(84, e.EpisodeKind.TRAINING, 1.0, 40, 0, 0, by, 4.0, 37, decided_by, vetoes)


ASKS = e.SuccessDecided(84, 39, 0.93, 3, until_s=105.5)
"""A still client's clock says 104."""


@SIZES
async def test_train_shows_the_probability_its_votes_and_who_decided_last(size: tuple[int, int]) -> None:
    state = judged(ended(e.EndedBy.SUCCESS, CLASSIFIER), e.SuccessSettled(80, 3, e.Settled.VETOED))
    text = "\n".join(await drawn(Still(state), size))
    for words in ("reward classifier", "3 of 4 from 0.5", "p 0.70", "●○○ 1 of 3 votes", "▁▁▃▆", "1 veto"):
        assert words in text
    assert "ep 84 success by the classifier" in text
    for words in ("S alone", "online", "end effector", "learner", "policy 38 sent"):
        assert words in text, "the rest is still there"


@SIZES
async def test_a_run_without_a_classifier_has_no_such_pane(size: tuple[int, int]) -> None:
    assert "reward classifier" not in "\n".join(await drawn(Still(demo.training()), size))


@SIZES
async def test_a_success_that_may_be_vetoed_asks_with_its_keys_and_a_countdown(size: tuple[int, int]) -> None:
    rows = await drawn(Still(judged(ASKS)), size)
    text = "\n".join(rows)
    assert "? SUCCESS" in rows[0] and "v vetoes: 1.5 s left" in rows[0]
    assert "success? p 0.93" in text and "v vetoes  f fails  s agrees" in text and "1.5 s" in text
    assert " v  Veto " in rows[-1] and " f  Fail " in rows[-1] and " s  Success " in rows[-1]


@SIZES
async def test_record_shows_what_a_classifier_says_that_decides_nothing(size: tuple[int, int]) -> None:
    shown = replace(USED, decides=False, veto_s=0.0)
    state = reduce(judged(used=shown), opened(shown, mode="record", trains=False))
    for number, p in enumerate((0.1, 0.8)):
        state = reduce(state, e.StepTaken(84, number + 1, 100, 0.0, e.Driver.HUMAN, p, 0))
    text = "\n".join(await drawn(Still(state), size))
    assert "reward classifier" in text and "shown" in text and "p 0.80" in text
    assert "votes" not in text


async def test_a_stand_in_is_not_called_a_classifier() -> None:
    text = "\n".join(await drawn(Still(judged(used=replace(USED, name="simulated", stand_in=True))), LARGE))
    assert "no classifier" in text


async def test_the_veto_key_objects_and_says_when_there_is_nothing_to_object_to() -> None:
    client = Still(judged(ASKS))
    app = Console(client, start_run=True)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("v")
        assert c.Veto() in client.sent
        client.sent.clear()
        client.state = judged()
        hints: list[str] = []
        app.hint = hints.append  # type: ignore[method-assign]
        await pilot.press("v")
        client.state = demo.training()
        await pilot.press("v")
        assert c.Veto() not in client.sent
        assert "decided nothing" in hints[0] and "no classifier" in hints[1]


def test_a_vetoed_success_is_told_while_the_episode_goes_on() -> None:
    state = judged(ASKS, e.SuccessSettled(84, 39, e.Settled.VETOED))
    text = words(state, 50, 4)
    assert "vetoed at step 39: the episode goes on" in text
    over = reduce(state, ended(e.EndedBy.FAILURE, PERSON, vetoes=1))
    assert "ep 84 failure by a person" in words(over, 50, 4)


def test_before_the_first_decision_it_says_what_reset_frames_gave() -> None:
    state = reduce(ConsoleState(), opened())
    calm = reduce(state, e.ClassifierExamined((0.1, 0.31), 0.5, "x"))
    assert "2 reset frames: highest p 0.31, none fires" in words(calm, 60, 3)
    loud = reduce(state, e.ClassifierExamined((0.1, 0.6, 0.7), 0.5, "x"))
    assert "fires in 2 of 3 reset frames" in words(loud, 60, 3)


def test_hard_negatives_are_counted() -> None:
    state = judged(e.HardNegativesSaved(84, 3, "runs/it/hard_negatives", 12))
    assert "12 hard negatives" in words(state, 60, 4)


def test_a_tall_pane_draws_a_curve_with_its_threshold() -> None:
    rows = ClassifierPane().rows(View(judged()), 40, 9)
    curve = ["".join(text for text, _ in row) for row in rows[1:-2]]
    assert len(curve) == 6 and all(any("⠀" < char <= "⣿" for char in row) for row in curve[1:3])


def words(state: ConsoleState, width: int, height: int) -> str:
    rows = ClassifierPane().rows(View(state, now_s=104.0), width, height)
    return "\n".join("".join(text for text, _ in row) for row in rows)


def test_the_upper_half_of_a_block_means_a_vote_whatever_the_threshold() -> None:
    for threshold in (0.05, 0.5, 0.83, 0.99):
        assert level(0.0, threshold) == 0 and level(1.0, threshold) == 7
        assert level(threshold - 1e-6, threshold) == 3 and level(threshold, threshold) == 4
    assert sparkline((0.0, 0.49, 0.5, 1.0), 0.5, 3) == (("▄", "dim"), ("▅█", "green"))


@pytest.mark.parametrize("size", [SMALL, LARGE, HUGE, (108, 36), (300, 24)])
@pytest.mark.parametrize("also", [("classifier",), ("classifier", "link")])
def test_the_classifier_has_its_own_place(size: tuple[int, int], also: tuple[str, ...]) -> None:
    for places in (arrange(*size, also=also), arrange_record(*size, also=also)):
        assert places["classifier"].height >= 2 and places["arm"].height >= 6 and places["log"].height >= 2
        for number, place in enumerate(places.values()):
            assert place.right <= size[0] and place.bottom <= size[1] - 1
            assert all(not place.overlaps(other) for other in list(places.values())[number + 1 :])


async def test_link_and_classifier_share_a_small_screen() -> None:
    text = "\n".join(await drawn(Still(judged(up())), SMALL))
    assert "p 0.70" in text and "backlog 0" in text and "log" in text


def test_the_keys_of_a_question_come_first() -> None:
    names = [name for name, _, _ in footer(stopped=False, human=True, idle=False, vetoable=True)]
    assert names[:4] == ["stop", "veto", "fail", "success"]


@SIZES
async def test_a_refusal_is_on_home_as_a_whole(size: tuple[int, int]) -> None:
    said = e.ClassifierExamined((0.1, 0.93, 0.7), 0.6, "/home/kim/so101/runs/pick-lift/classifier_check")
    over = refusal(said)
    assert over is not None
    rows = await drawn(Still(judged(said, over)), size, train=False)
    text = " ".join(" ".join(row.split()) for row in rows)
    assert "✗ classifier fires in 2 of 3 reset frames" in text
    assert (
        "right after a reset (p up to 0.93" in text
        and "train it again" in text
        and "ends the station" in text
    )


def collecting(positives: int, frames: int, *events: e.Event) -> ConsoleState:
    state = demo.fold(demo.opening())
    run = opened(None, mode="record", trains=False, ends_on_success=False)
    opening = (
        run,
        e.PhaseChanged(e.Phase.RECORDING, "", 2, 20),
        e.DatasetOpened("set", 2, frames, 5, positives),
    )
    for event in (*opening, *events):
        state = reduce(state, event)
    return state


@SIZES
async def test_record_counts_frames_for_a_classifier_and_says_what_to_do_next(size: tuple[int, int]) -> None:
    running = (
        e.EpisodeStarted(7, e.EpisodeKind.DEMONSTRATION),
        *(e.StepTaken(7, number, 40, float(number > 2), e.Driver.HUMAN) for number in (1, 2, 3)),
    )
    text = "\n".join(await drawn(Still(collecting(149, 500, *running)), size))
    assert "positives   150 of 200" in text and "negatives   353 of 600" in text
    assert "◆ success" in text
    flat = " ".join(" ".join(row.split()) for row in text.splitlines())
    assert "50 more positives" in flat


async def test_enough_frames_say_what_comes_next() -> None:
    flat = " ".join(await drawn(Still(collecting(220, 900)), LARGE))
    assert "train-classifier" in flat and "220 of 200" in flat and "680 of 600" in flat


async def test_a_recording_that_ends_on_success_counts_no_such_frames() -> None:
    state = reduce(collecting(10, 100), opened(None, mode="record", trains=False))
    assert "for a reward classifier" not in "\n".join(await drawn(Still(state), LARGE))
