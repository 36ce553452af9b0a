"""ActorLoop: which episode comes next, what is done between episodes, and what to do when one cannot be run."""

import contextlib
import logging
from collections.abc import Iterator

from workers.actor.between import Between, Start
from workers.actor.body import Body
from workers.actor.chair import Chair
from workers.actor.environment import ArmUnavailable, InterventionEnv, arm_env
from workers.actor.episode import EpisodeRunner
from workers.actor.examination import examine
from workers.actor.hand import Hand, hand_of
from workers.actor.hard_negatives import HardNegatives
from workers.actor.period import RealtimePeriod
from workers.actor.realtime import RealtimeArm
from workers.actor.recorder import Recorder
from workers.actor.reward_model import load_reward_model
from workers.actor.rules import EpisodeResult, Rules
from workers.actor.runtime import PolicyRuntime
from workers.actor.seeds import episode_seed, examination_seed
from workers.actor.trial import trial_ended
from workers.actor.trial_policies import TrialPolicies
from workers.actor.who_drives import missing_driver, policy_of, script_of
from workers.config import Config
from workers.config.live import applied
from workers.model.events import (
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
    SeatChanged,
)
from workers.model.orders import (
    AnyOrder,
    Attend,
    ChangeSettings,
    Collect,
    Examine,
    Hold,
    Operate,
    Preview,
    Rest,
    TakePolicy,
    TrialPlan,
)
from workers.processors.errors import EnvironmentRefused
from workers.robot.board import Board
from workers.robot.build import kinematics_of
from workers.runtime.harness import Desk
from workers.teleop.device import DeviceReader, called
from workers.transport.log import LogFull, LogUnsaved
from workers.transport.record import Record

IDLE_WAIT_S = 0.05
FAULT_WAIT_S = 0.2
DISK_WAIT_S = 2.0
DISK_FULL = "the disk is full: free some space, old runs are the largest files"
DISK_FAILED = "the disk did not save what was recorded: look at its free space, and at dmesg"
log = logging.getLogger(__name__)


class ActorLoop:
    """Runs the episodes that the newest `Collect` order asks for.

    Raises LogError when the log cannot be opened, EnvironmentRefused when a Gymnasium environment cannot be used.
    """

    def __init__(self, desk: Desk, config: Config, board: Board) -> None:
        self._desk = desk
        self._config = config
        self._body, env, hand = self._open(board)
        load_reward_model(config, env.pipelines)
        self._env = env
        self._hard_negatives = HardNegatives(config, env.pipelines.stored)
        self._recorder = Recorder(config.run_dir, env.features)
        teleop = config.env.teleop
        self._device = DeviceReader(board.teleop) if called(teleop.type) else None
        self._chair = Chair(config.operator.scripted, teleop.jog_step, called(teleop.type), teleop.is_leader)
        self._script = script_of(config, self._recorder.next_episode)
        if config.operator.scripted and self._script is None:
            raise EnvironmentRefused(
                ("operator", "scripted"), "there is no scripted person for this environment"
            )
        self._policy = policy_of(config, env.features, desk.mailbox.emit)
        feel = None if self._device is None else self._feel
        self._period = RealtimePeriod(desk, 1.0 / config.env.fps, self._take, self._chair, feel)
        self._runner = EpisodeRunner(
            self._env,
            self._policy,
            self._chair,
            self._script,
            self._period,
            self._append,
            desk.mailbox.emit,
            Rules.of(config),
            hand,
            self._hard_negatives.take,
        )
        self._records = config.mode == "record"
        on_motion = self._records and config.dataset.start_on_motion
        self._start = Start(self._chair, self._runner.rest, on_motion)
        self._order: Collect | None = None
        self._to_examine = 0  # reset frames that the classifier is to be asked about
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
            if self._to_examine:
                self._examine()
                continue
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
            case Examine(frames):
                self._to_examine = frames
            case Rest():
                self._order = None
            case Attend(probability) if self._script is not None:
                self._script.attendance = probability
            case TakePolicy(version):
                self._policy.offer(version)
            case Preview():
                self._body.preview(order)
            case ChangeSettings():
                self._change(order)

    def _change(self, order: ChangeSettings) -> None:
        self._config = applied(self._config, order.values, log.info)
        self._env.change(self._config.env)
        self._chair.jog_step = self._config.env.teleop.jog_step

    @contextlib.contextmanager
    def _telling_chair(self) -> Iterator[None]:
        """Tell whom it concerns what the person changed."""
        scripted, taken = self._chair.scripted, self._chair.has_person
        with self._telling_holds():
            yield
        if self._chair.scripted != scripted:
            self._desk.mailbox.emit(ScriptChanged(self._chair.scripted))
        if self._chair.has_person != taken:
            self._desk.mailbox.emit(SeatChanged(self._chair.has_person))
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
        why = missing_driver(
            self._order.kind, self._chair, self._policy.version, self._config.env.teleop
        ) or ", ".join(sorted(self._chair.holds))
        why = why or self._between.scene_missing() or self._body.problem() or self._between.cooling()
        if why:
            self._chair.take_jogs()  # keys pressed meanwhile are no beginning
        seed = self._seed(self._order, self._recorder.next_episode)
        return self._waits(why or self._start.motion_missing(self._order.kind, seed))

    def _waits(self, why: str) -> bool:
        """Whether there is nothing to wait for; says what there is, and the arm holds meanwhile."""
        if why != self._waiting_for:
            self._waiting_for = why
            self._body.hold()
            self._desk.mailbox.emit(DriverChanged(Driver.NOBODY, why))
        return not why

    def _examine(self) -> None:
        """Ask the classifier about reset frames as soon as the arm may move."""
        if not self._waits(", ".join(sorted(self._chair.holds)) or self._body.problem()):
            self._take_one(IDLE_WAIT_S)
            return
        frames, seed = self._to_examine, self._config.run.seed
        try:
            said = examine(self._config, self._env, frames, lambda number: examination_seed(seed, number))
        except ArmUnavailable as reason:
            log.warning("the classifier could not be asked yet: %s", reason)
            self._take_one(FAULT_WAIT_S)
            return
        self._body.hold()
        self._to_examine = 0
        self._desk.mailbox.emit(said)

    def _run_episode(self, order: Collect) -> None:
        episode = self._recorder.next_episode
        self._recorder.next_episode += 1
        self._waiting_for = ""
        self._desk.mailbox.emit(EpisodeStarted(episode, order.kind))
        seed = self._seed(order, episode)
        if order.trial is not None and isinstance(self._policy, TrialPolicies):
            self._policy.choose(order.trial.side)
        self._start.left()
        try:
            result = self._runner.run(order.kind, episode, seed)
        except (LogFull, LogUnsaved) as why:
            self._wait_for_disk(str(why), DISK_FULL if isinstance(why, LogFull) else DISK_FAILED)
            result = EpisodeResult(EndedBy.STOP, reason="the disk did not take what was recorded")
        if self._desk.quitting:
            return
        if result.ended_by is EndedBy.STOP:
            self._body.hold()  # now: the gate would wait two periods for a target that does not come
            log.warning("episode %d ended: %s", episode, result.reason)
            self._take_one(FAULT_WAIT_S)
        if order.kind is EpisodeKind.EVALUATION:
            self._tell_trial(order, episode, seed, result)
        self._finish(order, episode, result)

    def _tell_trial(self, order: Collect, episode: int, seed: int, result: EpisodeResult) -> None:
        assert isinstance(self._policy, PolicyRuntime | TrialPolicies), "others are not evaluated"
        plan = order.trial or TrialPlan(self._collected, 0, seed)
        version, digest = self._policy.version, self._policy.digest
        self._desk.mailbox.emit(trial_ended(episode, plan, result, version, digest))

    def _finish(self, order: Collect, episode: int, result: EpisodeResult) -> None:
        ended = EpisodeEnded(
            episode,
            order.kind,
            result.reward,
            result.steps,
            result.steps_by_human,
            result.interventions,
            result.ended_by,
            round(result.driven_s, 2),
            self._policy.version,
            result.decided_by,
            result.vetoes,
        )
        if not self._recorder.finish(ended):
            self._wait_for_disk("the disk is full: the list of episodes cannot be written")
        self._desk.mailbox.emit(ended)
        if (saved := self._hard_negatives.save(episode)) is not None:
            self._desk.mailbox.emit(saved)
        left_the_recording = order.kind is EpisodeKind.REPLAY and result.steps_by_human > 0
        again = left_the_recording or result.ended_by in (EndedBy.STOP, EndedBy.RERECORD)
        if not again and order is self._order:
            self._count(order, result.ended_by is EndedBy.SUCCESS)
        self._make_room(order, moves=result.ended_by is not EndedBy.STOP)

    def _make_room(self, done: Collect, moves: bool) -> None:
        """Time for the scene, with the arm where the next episode begins; at rest while its servos cool down."""
        cools, seed = self._between.begin(), self._next_seed(done)
        seconds = 0.0 if seed is None else self._config.env.processor.reset.reset_time_s
        if self._desk.quitting or not (seconds or cools):
            return
        if moves and not self._chair.holds and not self._body.problem():
            with contextlib.suppress(ArmUnavailable):  # the next episode says why
                if cools:
                    self._body.rest()
                elif seed is not None:
                    self._start.go(seed)
        self._between.make_room(seconds)

    def _next_seed(self, done: Collect) -> int | None:
        """Of the episode that comes next, as far as is known; None when none does."""
        if self._order is not None:
            return self._seed(self._order, self._recorder.next_episode)
        return None if done.trial is None else done.trial.seed_after

    def _count(self, order: Collect, success: bool) -> None:
        """Enter a kept episode into the account of the order, and end the order when it is fulfilled."""
        if order.kind is EpisodeKind.DEMONSTRATION and not (success or self._records):
            return  # it is discarded, and recorded again
        self._collected += 1
        self._successes += success
        failures = self._collected - self._successes
        given_up = order.kind is EpisodeKind.EVALUATION and 0 < order.give_up_after <= failures
        finished = given_up or 0 < order.episodes <= self._collected
        if order.kind is EpisodeKind.EVALUATION and order.trial is None:
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

    def _seed(self, order: Collect, episode: int) -> int:
        """Seed of an episode: its own for every run seed, kind and number; evaluations repeat theirs."""
        if order.trial is not None:
            return order.trial.seed
        number = self._collected if order.kind is EpisodeKind.EVALUATION else episode
        return episode_seed(self._config.run.seed, order.kind, number)

    # records

    def _append(self, record: Record) -> None:
        self._recorder.append(record)
        self._desk.mailbox.emit(Recorded())

    def _wait_for_disk(self, why: str, hold: str = DISK_FULL) -> None:
        """Hold, say why, and go on by itself once there is room again, with what the disk holds."""
        self._body.hold()
        log.error("%s", why)
        with contextlib.suppress(LogUnsaved, OSError):  # it is told already that the disk is in trouble
            self._recorder.close()
        with self._telling_holds():
            self._chair.hold(hold, True)
        while self._desk.alive() and not self._recorder.open():
            self._take_one(DISK_WAIT_S)
        with self._telling_holds():
            self._chair.hold(hold, False)
