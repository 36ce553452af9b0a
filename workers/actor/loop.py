"""ActorLoop: which episode comes next, what is done between episodes, and what to do when one cannot be run."""

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from workers.actor.between import Between
from workers.actor.chair import Chair
from workers.actor.environment import ArmUnavailable, InterventionEnv, arm_env
from workers.actor.episode import EpisodeResult, EpisodeRunner, Rules
from workers.actor.hand import Hand, hand_of
from workers.actor.no_policy import NoPolicy
from workers.actor.period import RealtimePeriod
from workers.actor.realtime import RealtimeArm
from workers.actor.recorder import Recorder
from workers.actor.replay_policy import ReplayPolicy
from workers.actor.runtime import PolicyRuntime
from workers.config import Config
from workers.model.events import (
    FIRST_MOTION,
    Collected,
    Driver,
    DriverChanged,
    EndedBy,
    EpisodeEnded,
    EpisodeKind,
    EpisodeStarted,
    EvaluationProgress,
    PauseChanged,
    Recorded,
    ScriptChanged,
)
from workers.model.orders import AnyOrder, Attend, Collect, Hold, Operate, Preview, Rest, TakePolicy
from workers.processors.errors import EnvironmentRefused
from workers.robot.board import Board
from workers.robot.build import kinematics_of
from workers.runtime.harness import Desk
from workers.teleop.build import scripted_operator_of
from workers.teleop.device import DeviceReader, called
from workers.teleop.scripted_operator import ScriptedOperator
from workers.transport.log import LogFull
from workers.transport.record import Record

IDLE_WAIT_S = 0.05
FAULT_WAIT_S = 0.2
DISK_WAIT_S = 2.0
DISK_FULL = "the disk is full: free some space, old runs are the largest files"
SEED_STREAM = {
    EpisodeKind.DEMONSTRATION: 0,
    EpisodeKind.TRAINING: 1,
    EpisodeKind.EVALUATION: 2,
    EpisodeKind.REPLAY: 3,
    EpisodeKind.SURVEY: 4,
}
log = logging.getLogger(__name__)


class Body(Protocol):
    """What the policy drives, between episodes: an arm, or a Gymnasium environment."""

    def problem(self) -> str:
        """Why it cannot be driven now, "" when it can."""

    def warmth(self) -> str:
        """Which servos should cool down, "" while none should."""

    def rest(self) -> None:
        """Bring it where it rests. Raises ArmUnavailable."""

    def hold(self) -> None:
        """Let nothing move."""

    def preview(self, wanted: Preview) -> None:
        """Show the consoles its pictures, unless camera workers do."""

    def seat(self, human: bool) -> None:
        """Tell whoever must know that a person drives, or none does."""

    def close(self) -> None:
        """Let go of it."""


class ActorLoop:
    """Runs the episodes that the newest `Collect` order asks for.

    Raises LogError when the log cannot be opened, EnvironmentRefused when a Gymnasium environment cannot be used.
    """

    def __init__(self, desk: Desk, config: Config, board: Board) -> None:
        self._desk = desk
        self._config = config
        self._body, env, hand = self._open(board)
        self._recorder = Recorder(config.run_dir, env.features)
        teleop = config.env.teleop
        self._device = DeviceReader(board.teleop) if called(teleop.type) else None
        self._chair = Chair(config.operator.scripted, teleop.jog_step, called(teleop.type), teleop.is_leader)
        self._script = self._make_script() if config.simulated else None
        if config.operator.scripted and self._script is None:
            raise EnvironmentRefused(
                ("operator", "scripted"), "there is no scripted person for this environment"
            )
        self._policy: PolicyRuntime | ReplayPolicy | NoPolicy
        if config.mode == "replay":
            self._policy = ReplayPolicy(config)
        elif config.mode in ("find-limits", "record"):
            self._policy = NoPolicy()
        else:
            self._policy = PolicyRuntime(config, desk.mailbox.emit)
        feel = None if self._device is None else self._feel
        self._period = RealtimePeriod(desk, 1.0 / config.env.fps, self._take, self._chair, feel)
        self._runner = EpisodeRunner(
            env,
            self._policy,
            self._chair,
            self._script,
            self._period,
            self._append,
            desk.mailbox.emit,
            Rules.of(config),
            hand,
        )
        self._records = config.mode == "record"
        self._start_on_motion = self._records and config.dataset.start_on_motion
        self._order: Collect | None = None
        self._waiting_for = ""
        self._between = Between(self._chair, self._body.warmth)
        self._collected = 0
        self._successes = 0

    def _open(self, board: Board) -> tuple[Body, InterventionEnv, Hand]:
        """What is driven, the environment in front of it, and the hand of the person who drives."""
        config = self._config
        if config.env.type == "gymnasium":
            from workers.actor.gym_body import GymBody  # brings the environment's own libraries

            body = GymBody(config, board, self._desk.mailbox.emit)
            return body, body.env, Hand(body.env.features)
        cameras = config.env.cameras
        shapes = {name: (camera.height, camera.width) for name, camera in cameras.items()}
        rates = {name: camera.fps for name, camera in cameras.items()}
        arm = RealtimeArm(board, shapes, rates, self._breathe)
        kinematics = kinematics_of(config)
        env = arm_env(config, arm, kinematics, config.device)
        return arm, env, hand_of(config, env, kinematics)

    def run(self) -> None:
        """Until told to quit. Raises LogError when the log belongs to another configuration."""
        if not self._recorder.open():
            self._wait_for_disk("the disk is full")
        while self._desk.alive():
            self._take_orders()
            self._policy.swap()
            if self._order is None or not self._ready():
                self._take_one(IDLE_WAIT_S)
                continue
            self._run_episode(self._order)

    def close(self) -> None:
        """Hold the arm; make everything recorded survive a power cut."""
        self._body.close()
        self._recorder.close()

    # orders

    def _breathe(self) -> bool:
        """For the wait for a reset: beat, take orders, say whether to go on. Whoever pauses wants no motion."""
        self._take_orders()
        return self._desk.alive() and not self._chair.holds

    def _take_orders(self) -> None:
        while (order := self._desk.next_order()) is not None:
            self._take(order)
        self._feel()

    def _feel(self) -> None:
        """Look at the person's device."""
        if self._device is None:
            return
        with self._telling_chair():
            self._chair.feel(self._device.read())

    def _take_one(self, wait_s: float) -> None:
        order = self._desk.next_order(wait_s)
        if order is not None:
            self._take(order)

    def _take(self, order: AnyOrder) -> None:
        match order:
            case Operate(command):
                with self._telling_chair():
                    self._chair.take(command)
            case Hold(on, reason):
                with self._telling_holds():
                    self._chair.hold(reason, on)
            case Collect():
                self._begin(order)
            case Rest():
                self._order = None
            case Attend(probability) if self._script is not None:
                self._script.attendance = probability
            case TakePolicy(version):
                self._policy.offer(version)
            case Preview():
                self._body.preview(order)

    @contextlib.contextmanager
    def _telling_chair(self) -> Iterator[None]:
        """Tell whom it concerns what the person changed."""
        scripted = self._chair.scripted
        with self._telling_holds():
            yield
        if self._chair.scripted != scripted:
            self._desk.mailbox.emit(ScriptChanged(self._chair.scripted))
        self._body.seat(self._chair.has_person)

    @contextlib.contextmanager
    def _telling_holds(self) -> Iterator[None]:
        """Tell the consoles when the reasons to hold change."""
        before = set(self._chair.holds)
        yield
        if self._chair.holds != before:
            self._desk.mailbox.emit(
                PauseChanged(bool(self._chair.holds), ", ".join(sorted(self._chair.holds)))
            )

    def _begin(self, order: Collect) -> None:
        if order == self._order:
            return  # given again because this worker had only just started
        self._order = order
        self._successes = 0
        demonstrates = order.kind is EpisodeKind.DEMONSTRATION
        self._collected = self._recorder.demonstrations(self._records) if demonstrates else 0
        self._tell_collected()

    # episodes

    def _ready(self) -> bool:
        """Whether an episode can begin; says why not."""
        assert self._order is not None
        why = self._missing_driver(self._order.kind) or ", ".join(sorted(self._chair.holds))
        why = why or self._between.scene_missing() or self._body.problem() or self._between.cooling()
        if why:
            self._chair.take_jogs()  # keys pressed meanwhile are no beginning
        why = why or self._motion_missing(self._order.kind)
        if why != self._waiting_for:
            self._waiting_for = why
            self._body.hold()
            self._desk.mailbox.emit(DriverChanged(Driver.NOBODY, why))
        return not why

    def _missing_driver(self, kind: EpisodeKind) -> str:
        """What keeps an episode from beginning for want of a driver."""
        person = self._chair.has_person
        if kind is EpisodeKind.EVALUATION and person:
            return "the policy is to be tried alone: space gives the arm back"
        if kind is EpisodeKind.REPLAY and person:
            return "the recording is to be replayed: space gives the arm back"
        if kind is EpisodeKind.DEMONSTRATION:
            return "" if person or self._chair.scripted else f"{self._takes()} begins a demonstration"
        if kind is EpisodeKind.SURVEY:
            return ""  # it begins at once, and waits for a driver where the arm is
        if self._policy.version == 0 and not person:
            return "the learner prepares the first policy"
        return ""

    def _takes(self) -> str:
        """What takes the arm."""
        teleop = self._config.env.teleop
        if teleop.takeover_by_motion:
            return "space, or moving the leader arm,"
        return "space, or the gamepad's trigger," if teleop.type == "gamepad" else "space"

    def _motion_missing(self, kind: EpisodeKind) -> str:
        waits = self._start_on_motion and kind is EpisodeKind.DEMONSTRATION and self._chair.has_person
        return FIRST_MOTION if waits and not self._chair.moves else ""

    def _run_episode(self, order: Collect) -> None:
        episode = self._recorder.next_episode
        self._recorder.next_episode += 1
        self._waiting_for = ""
        self._desk.mailbox.emit(EpisodeStarted(episode, order.kind))
        started_s = time.monotonic()
        try:
            result = self._runner.run(order.kind, episode, self._seed(order.kind, episode))
        except LogFull as full:
            self._wait_for_disk(str(full))
            result = EpisodeResult(EndedBy.STOP, reason="the disk was full")
        if self._desk.quitting:
            return
        if result.ended_by is EndedBy.STOP:
            self._body.hold()  # now: the gate would wait two periods for a target that does not come
            log.warning("episode %d ended: %s", episode, result.reason)
            self._take_one(FAULT_WAIT_S)
        self._finish(order, episode, result, time.monotonic() - started_s)

    def _finish(self, order: Collect, episode: int, result: EpisodeResult, seconds: float) -> None:
        ended = EpisodeEnded(
            episode,
            order.kind,
            result.reward,
            result.steps,
            result.steps_by_human,
            result.interventions,
            result.ended_by,
            round(seconds, 2),
            self._policy.version,
        )
        if not self._recorder.finish(ended):
            self._wait_for_disk("the disk is full: the list of episodes cannot be written")
        self._desk.mailbox.emit(ended)
        left_the_recording = order.kind is EpisodeKind.REPLAY and result.steps_by_human > 0
        again = left_the_recording or result.ended_by in (EndedBy.STOP, EndedBy.RERECORD)
        if not again and order is self._order:
            self._count(order, result.ended_by is EndedBy.SUCCESS)
        self._make_room(moves=result.ended_by is not EndedBy.STOP)

    def _make_room(self, moves: bool) -> None:
        """Time for the scene, with the arm where the next episode begins; at rest while its servos cool down."""
        cools = self._between.begin()
        seconds = self._config.env.processor.reset.reset_time_s if self._order is not None else 0.0
        if self._desk.quitting or not (seconds or cools):
            return
        if moves and not self._chair.holds and not self._body.problem():
            with contextlib.suppress(ArmUnavailable):  # the next episode says why
                self._rest(cools)
        self._between.make_room(seconds)

    def _rest(self, cools: bool) -> None:
        """Raises ArmUnavailable."""
        if cools:
            self._body.rest()
        elif self._order is not None:
            self._runner.rest(self._seed(self._order.kind, self._recorder.next_episode))

    def _count(self, order: Collect, success: bool) -> None:
        """Enter a kept episode into the account of the order, and end the order when it is fulfilled."""
        if order.kind is EpisodeKind.DEMONSTRATION and not (success or self._records):
            return  # it is discarded, and recorded again
        self._collected += 1
        self._successes += success
        failures = self._collected - self._successes
        given_up = order.kind is EpisodeKind.EVALUATION and 0 < order.give_up_after <= failures
        finished = given_up or 0 < order.episodes <= self._collected
        if order.kind is EpisodeKind.EVALUATION:
            self._desk.mailbox.emit(
                EvaluationProgress(
                    self._successes, self._collected, order.episodes, self._policy.version, finished
                )
            )
        self._tell_collected(finished)

    def _tell_collected(self, finished: bool = False) -> None:
        order = self._order
        assert order is not None
        done = finished or 0 < order.episodes <= self._collected
        self._desk.mailbox.emit(Collected(order.kind, self._collected, order.episodes, done))
        if done:
            self._order = None
        self._policy.pinned = order.kind is EpisodeKind.EVALUATION and not done

    def _seed(self, kind: EpisodeKind, episode: int) -> int:
        """Seed of an episode: its own for every run seed, kind and number; evaluations repeat theirs."""
        number = self._collected if kind is EpisodeKind.EVALUATION else episode
        entropy = np.random.SeedSequence([self._config.run.seed, SEED_STREAM[kind], number])
        return int(entropy.generate_state(1)[0] % 2**31)

    # records

    def _append(self, record: Record) -> None:
        self._recorder.append(record)
        self._desk.mailbox.emit(Recorded())

    def _wait_for_disk(self, why: str) -> None:
        """Hold, say why, and go on by itself once there is room again. Nothing recorded so far is lost."""
        self._body.hold()
        self._recorder.close()
        log.error("%s", why)
        with self._telling_holds():
            self._chair.hold(DISK_FULL, True)
        while self._desk.alive() and not self._recorder.open():
            self._take_one(DISK_WAIT_S)
        with self._telling_holds():
            self._chair.hold(DISK_FULL, False)

    def _make_script(self) -> ScriptedOperator | None:
        rng = np.random.default_rng([self._config.run.seed, self._recorder.next_episode])
        return scripted_operator_of(self._config, rng)
