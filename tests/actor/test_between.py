"""Warm servos cool down before the next episode, unless a person says otherwise."""

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.config.effect_tools import NO_ARM, FakeDesk, small
from workers.actor.between import Between, Start
from workers.actor.chair import Chair
from workers.actor.environment import ArmUnavailable
from workers.actor.gym_body import GymBody
from workers.actor.loop import ActorLoop
from workers.model import events as e
from workers.model.commands import Axis, Intervene, Jog, Mark, Proceed, Verdict
from workers.model.orders import AnyOrder, Collect, Operate
from workers.robot.board import Board

CONTEXT = multiprocessing.get_context("spawn")
WARM = "elbow_flex 57 °C, rising 1.5 °C a minute"


def test_it_waits_while_servos_are_warm_and_no_longer() -> None:
    warmth = [WARM]
    between = Between(Chair(scripted=False, jog_step=1.0), lambda: warmth[0])
    assert between.cooling() == "", "not before an episode was run"
    assert between.begin()
    assert between.cooling() == f"{e.COOLING}: {WARM}; n goes on"
    warmth[0] = ""
    assert between.cooling() == ""
    warmth[0] = WARM
    assert between.cooling() == "", "the episode that now begins is not stopped"


def test_a_key_goes_on_all_the_same_and_first_ends_the_time_for_the_scene() -> None:
    chair = Chair(scripted=False, jog_step=1.0)
    between = Between(chair, lambda: WARM)
    chair.take(Proceed())
    between.begin()
    between.make_room(60.0)
    assert between.scene_missing() and between.cooling(), "what was pressed during the episode does not count"
    chair.take(Proceed())
    assert between.scene_missing() == "" and between.cooling() != ""
    chair.take(Proceed())
    assert between.cooling() == ""


class WarmDesk(FakeDesk):
    """A person demonstrates on a point in a plane until the second episode begins; `then` follows half a second of
    waiting after the first one, and may be a key."""

    def __init__(self, then: Callable[[], AnyOrder | None]) -> None:
        orders = [Operate(Intervene(True)), Collect(e.EpisodeKind.DEMONSTRATION, 0)]
        self._until_s = time.monotonic() + 40.0
        super().__init__(orders, self._still_one)
        self._then, self._waits_since_s, self._marked = then, 0.0, False

    def next_order(self, timeout_s: float = 0.0) -> AnyOrder | None:
        order = super().next_order()
        if order is None and not self._marked and self.mailbox.of(e.StepTaken):
            self._marked = True
            return Operate(Mark(Verdict.SUCCESS))
        if order is None and any(reason.startswith(e.COOLING) for reason in self.reasons()):
            self._waits_since_s = self._waits_since_s or time.monotonic()
            if 0.5 < time.monotonic() - self._waits_since_s < 100.0:
                self._waits_since_s = float("inf")
                assert len(self.mailbox.of(e.EpisodeStarted)) == 1
                return self._then()
        return order

    def reasons(self) -> list[str]:
        return [event.reason for event in self.mailbox.of(e.DriverChanged)]

    def _still_one(self) -> bool:
        assert time.monotonic() < self._until_s, self.mailbox.events[-10:]
        return len(self.mailbox.of(e.EpisodeStarted)) < 2


@pytest.mark.parametrize("how", ["cooler", "key"])
def test_the_next_episode_waits_for_warm_servos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    warmth, rested = [WARM], list[None]()
    monkeypatch.setattr(GymBody, "warmth", lambda _: warmth[0])
    monkeypatch.setattr(GymBody, "rest", lambda _: rested.append(None))

    def then() -> AnyOrder | None:
        if how == "key":
            return Operate(Proceed())
        warmth[0] = ""
        return None

    desk = WarmDesk(then)
    config = small(tmp_path, {**NO_ARM, "env.processor.reset.reset_time_s": 0.0})
    loop = ActorLoop(desk, config, Board.create(CONTEXT, {}))  # type: ignore[arg-type]
    loop.run()
    loop.close()
    assert len(desk.mailbox.of(e.EpisodeStarted)) == 2
    assert any(WARM in reason and "n goes on" in reason for reason in desk.reasons())
    assert len(rested) == 1


def test_a_demonstration_that_waits_for_a_motion_waits_where_it_begins() -> None:
    chair, went = Chair(scripted=False, jog_step=1.0), list[int]()

    def go(seed: int) -> None:
        went.append(seed)
        chair.take(Jog(Axis.X, 1))  # pressed on the way: no beginning

    start = Start(chair, go, on_motion=True)
    assert start.motion_missing(e.EpisodeKind.DEMONSTRATION, 7) == "" and not went, "nobody has the arm"
    chair.take(Intervene(True))
    for _ in range(2):
        assert start.motion_missing(e.EpisodeKind.DEMONSTRATION, 7) == e.FIRST_MOTION
    assert went == [7], "once, and before the first motion"
    chair.take(Jog(Axis.X, 1))
    assert start.motion_missing(e.EpisodeKind.DEMONSTRATION, 7) == ""
    start.left()
    start.go(8)
    chair.take_jogs()
    assert start.motion_missing(e.EpisodeKind.DEMONSTRATION, 8) == e.FIRST_MOTION
    assert went == [7, 8], "it was there since the last episode"


def test_a_start_that_cannot_be_reached_leaves_the_reason_to_the_episode() -> None:
    def go(_: int) -> None:
        raise ArmUnavailable("stopped")

    chair = Chair(scripted=False, jog_step=1.0, person_drives=True)
    start = Start(chair, go, on_motion=True)
    assert start.motion_missing(e.EpisodeKind.DEMONSTRATION, 1) == e.FIRST_MOTION
    assert Start(chair, go, on_motion=False).motion_missing(e.EpisodeKind.DEMONSTRATION, 1) == ""
