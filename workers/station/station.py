"""The station: folds what happens into one state, hands it to consoles, and carries orders to the workers."""

import asyncio
import contextlib
import itertools
import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from workers.config import Config
from workers.model import commands as c
from workers.model import events as e
from workers.model import orders as o
from workers.model.places import socket_path
from workers.model.reduce import reduce
from workers.model.state import EPISODES_KEPT, ConsoleState, Worker
from workers.processors.transition import Picture
from workers.robot.board import Board
from workers.runtime.beginning import Beginning
from workers.runtime.episode_book import EpisodeBook
from workers.station.crew import crew, stop_waves
from workers.station.handle import WorkerHandle
from workers.station.journal import Journal
from workers.station.lease import LEASE_LIMIT_S, look_again_s
from workers.station.preflight import Seen
from workers.station.recipes import recipe_of
from workers.station.server import Server
from workers.station.settings import LiveSettings
from workers.station.stills import Stills
from workers.station.survey import Place, SurveyJob
from workers.station.tell import arm_moved, run_opened
from workers.station.word import StationWord
from workers.teleop.device import DeviceReader

WORD_PERIOD_S = 0.1  # the gate holds when the station is silent for 1 s
ARM_DISPLAY_PERIOD_S = 0.1
TELL_WAITING_S = 2  # an end that takes longer says what for
ARM_WORKERS = {"robot", "guardian"}
LAST_WORDS_S = 1.0  # for "stopped" of every worker to reach the consoles
LEASE_LOST_WORDS = "the console that held the controls is gone"
NOBODY_HOLDS = "nobody holds the controls"
INTERNAL_EVENTS = (e.Recorded, e.TrialEnded, e.PolicyPublished, e.LearnWished, e.Invited)
STANDING_COMMANDS = (c.Pause, c.UseScript, c.Intervene)  # states: they outlive the actor
log = logging.getLogger(__name__)


class Station:
    """One run, from its first worker to its last.

    Args:
        config: the run's configuration.
        until_success: end when an evaluation reaches this success rate; None goes on for ever.
        wait_for_start: begin the recipe at a console's `StartRun` instead of at once.
        seen: what a look at the run's Gymnasium environment found; nothing of an arm's run.
        beginning: what a learner on this machine does with checkpoints.
        survey: how `mode = "find-limits"` is to go.
        confirmed: a real arm may move without a person's word at a console.
        settings: what may change on the way; nothing, where none are given.
    """

    def __init__(
        self,
        config: Config,
        config_path: Path,
        until_success: float | None,
        wait_for_start: bool,
        seen: Seen | None = None,
        beginning: Beginning = Beginning.AS_LEFT,
        survey: SurveyJob | None = None,
        confirmed: bool = False,
        settings: LiveSettings | None = None,
    ) -> None:
        self.state = ConsoleState()
        self._settings = settings or LiveSettings(None, config)
        self._reading: asyncio.Task[None] | None = None
        self._config = config
        self._has_script = config.simulated if seen is None else seen.scripted
        self._run_dir = config.run_dir
        self._start_asked = asyncio.Event()
        if not wait_for_start:
            self._start_asked.set()
        self._shutdown = asyncio.Event()
        self._changed = asyncio.Event()
        self._failure = ""
        self._standing: dict[tuple[str, type[msgspec.Struct]], o.Order] = {}
        self._holding = False
        self._released = False
        self._was_held = self._interrupted = False
        self._listeners: list[Callable[[e.Event], None]] = []
        context = multiprocessing.get_context("spawn")
        sizes = {name: (camera.height, camera.width) for name, camera in config.env.cameras.items()}
        self._board = Board.create(context, sizes)
        self._word = StationWord(self._board.word)
        self._stills = Stills(self._board)
        self._device = DeviceReader(self._board.teleop)
        self._handles = {
            spec.name: WorkerHandle(spec, context, self._run_dir, self._fold, self._give_standing)
            for spec in crew(config, self._board, beginning)
        }
        if confirmed:
            self._word.confirm()
        self._recipe = recipe_of(self, config, until_success, survey)
        self._server = Server(
            socket_path(self._run_dir),
            lambda: self.state,
            self._on_command,
            self.stop_arm,
            self._on_consoles,
            self._stills.answer,
        )
        self._journal = Journal(self._run_dir)
        for episode in EpisodeBook(self._run_dir).read()[-EPISODES_KEPT:]:
            self.state = reduce(self.state, episode)  # what the run had when it was left; journaled then
        self._fold(run_opened(config, config_path, tuple(config.env.cameras) if seen is None else seen.views))
        self._fold(e.OperatorChanged(config.operator.scripted, 0))
        self._recipe.opened()

    def listen(self, listener: Callable[[e.Event], None]) -> None:
        """Call `listener` with every event from now on (progress lines of a headless run)."""
        self._listeners.append(listener)

    async def run(self) -> e.RunEnded:
        """Run to the end; every worker is gone when this returns."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)
        await self._server.start()
        keepers = [asyncio.create_task(handle.keep_running()) for handle in self._handles.values()]
        duties = [asyncio.create_task(self._speak_for_ever()), asyncio.create_task(self._watch_leases())]
        for duty in (*keepers, *duties):
            duty.add_done_callback(self._on_duty_done)
        try:
            ended = await self._run_recipe()
            self.stand("actor", o.Rest())
            self._fold(ended)
            await self._until_read()
            return ended
        finally:
            self._fold(e.PhaseChanged(e.Phase.STOPPING, "hold, park, save"))
            await self._stop_workers()
            await asyncio.wait(keepers, timeout=LAST_WORDS_S)
            for task in (*duties, *keepers):
                task.cancel()
            await self._server.close()
            self._journal.close()

    # what a recipe may do

    def emit(self, event: e.Event) -> None:
        self._fold(event)

    def stand(self, worker: str, order: o.Order) -> None:
        kind = type(order.command) if isinstance(order, o.Operate) else type(order)
        self._standing.pop((worker, kind), None)  # given again in the order they were given
        self._standing[(worker, kind)] = order
        if worker in self._handles:  # a run has not all of them
            self._handles[worker].give(order)

    def place(self) -> Place | None:
        read = self._board.arm.read()
        if read is None:
            return None
        x, y, z = read[1]["ee_m"].tolist()
        return Place((x, y, z), tuple(read[1]["joints"].tolist()))

    def pictures(self) -> dict[str, Picture]:
        return self._stills.newest()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    # the operator

    def stop_arm(self, by: str) -> None:
        """Latch the stop: straight into the robot worker's memory, then tell everybody."""
        self._word.stop()
        self._fold(e.StopLatched(by))

    def _on_signal(self, number: signal.Signals) -> None:
        """End the run; a second Ctrl-C does not wait for the arm to be parked."""
        robot = self.state.workers.get("robot")
        parks = (
            robot is None or robot.state is not e.WorkerState.STOPPED
        )  # else it has said how the arm is left
        if number is signal.SIGINT and self._interrupted and parks and not self._config.simulated:
            self._word.abandon()
            self._note("a second Ctrl-C: the arm is not parked, it holds where it is with its torque ON")
        self._interrupted = self._interrupted or number is signal.SIGINT
        self._shutdown.set()

    def _on_command(self, command: c.AnyCommand) -> None:
        match command:
            case c.StartRun():
                self._start_asked.set()
            case c.ClearStop(by):
                self._word.clear()
                self._fold(e.StopCleared(by))
            case c.ConfirmMotion():
                self._word.confirm()
            case c.LetGo() if self._config.simulated:
                self._note("the simulated arm has no torque to take off: space takes it, the keys move it")
            case c.LetGo(on):
                self._word.let_go(on)
            case c.EvaluateNow():
                self._recipe.evaluate_now()
            case c.ReadSettings(number):
                self._reading = asyncio.create_task(self._read_settings(number))
            case c.ApplySettings(digest):
                self._config = self._settings.hand_out(digest, self._config, self.stand, self._note)
                self._recipe.change(self._config)
                if self.state.run is not None:
                    utd = self._config.algorithm.utd_ratio
                    self._fold(msgspec.structs.replace(self.state.run, utd_target=utd))
            case c.Survey() | c.SetMargin() | c.MoveFace():
                self._recipe.take(command)
            case c.ShutDown():
                self._shutdown.set()
            case c.UseScript() if not self._has_script:
                self._note("the scripted operator drives the simulator only, and gym-hil's PandaPickCube")
            case _:
                self._operate(command)

    async def _read_settings(self, number: int) -> None:
        self._fold(await asyncio.to_thread(self._settings.read, number))

    def _operate(self, command: c.AnyCommand) -> None:
        if command == c.Intervene(on=True):
            # A person's hand sends the script away, also from an actor that is started again.
            self.stand("actor", o.Operate(c.UseScript(on=False)))
        if isinstance(command, STANDING_COMMANDS):
            self.stand("actor", o.Operate(command))
        else:
            self._handles["actor"].give(o.Operate(command))

    def _on_consoles(self) -> None:
        consoles = self._server.consoles
        self._stills.forget({console.name for console in consoles})
        holder = self._server.holder.name if self._server.holder else ""
        self._fold(e.OperatorChanged(self.state.control.scripted, len(consoles), holder))
        if not self._config.env.processor.observation.display_cameras:
            return
        wanted = [console.cameras for console in consoles if console.cameras and console.cameras.width > 0]
        preview = o.Preview(
            max((w.width for w in wanted), default=0),
            max((w.height for w in wanted), default=0),
            max((w.hz for w in wanted), default=0.0),
        )
        if self._config.env.type == "gymnasium":
            self.stand("actor", preview)
        for name in self._config.env.cameras:
            self.stand(f"camera-{name}", preview)

    async def _watch_leases(self) -> None:
        """Release the arm when the console that drives it is gone; learning goes on."""
        while True:
            age_s = self._server.lease_age_s()
            self._watch_lease(age_s)
            await asyncio.sleep(look_again_s(age_s))

    def _watch_lease(self, age_s: float | None) -> None:
        """One look at the holder's lease; `age_s` is None while nobody holds the controls."""
        lost = age_s is None or age_s > LEASE_LIMIT_S
        by_device = self._device.read().intervene  # whoever holds a trigger is there, console or not
        control = self.state.control
        human = (control.taken or control.driver is e.Driver.HUMAN) and not by_device
        if lost and human and not self._released:
            self._operate(c.Intervene(on=False))
            self._note(f"{LEASE_LOST_WORDS}: intervention released")
        self._released = lost and human
        must_hold = lost and self._config.operator.lost == "hold" and self._start_asked.is_set()
        if must_hold != self._holding:
            self._holding = must_hold
            self.stand("actor", o.Hold(must_hold, NOBODY_HOLDS))
            self._note(self._hold_words() if must_hold else "the operator is back")
        self._was_held = self._was_held or age_s is not None

    def _hold_words(self) -> str:
        if self._was_held:
            return f"{LEASE_LOST_WORDS}: the arm holds"
        return (
            f"{NOBODY_HOLDS}: the arm holds until somebody does. Attach with `hilserl-tui attach "
            f'{self._config.run.name}`, or set operator.lost = "continue" to run unattended'
        )

    # the workers

    def _fold(self, event: e.Event) -> None:
        if isinstance(event, e.Recorded):
            for reader in {"learner", "recorder"} & self._handles.keys():
                self._handles[reader].give(o.NewRecords())
        elif isinstance(event, e.PolicyPublished):
            self.stand("actor", o.TakePolicy(event.version))
        elif isinstance(event, e.EvaluationProgress) and event.finished and event.trials:
            self._handles["learner"].give(o.NoteSuccess(event.policy_version, event.successes, event.trials))
        before, self.state = self.state, reduce(self.state, event)
        self._recipe.on_event(event)
        if not isinstance(event, INTERNAL_EVENTS):
            self._journal.write(event)
            self._server.broadcast(event)
            for listener in self._listeners:
                listener(event)
        self._changed.set()
        if isinstance(event, e.WorkerChanged) and event.worker == "actor":
            self._on_actor(before.workers.get("actor"), event)

    def _on_actor(self, before: Worker | None, now: e.WorkerChanged) -> None:
        """Nobody drives while the actor is away, whatever it said last; reasons of its own to hold go with it."""
        if before is None or before.state is not e.WorkerState.RUNNING or now.state is before.state:
            return
        again = now.state is e.WorkerState.RESTARTING
        why = "the actor restarts" if again else f"the actor {now.state.value}"
        self._fold(e.DriverChanged(e.Driver.NOBODY, why))
        self._fold(e.SeatChanged(taken=False))  # whoever had it is told of it anew
        paused = self._standing.get(("actor", c.Pause)) == o.Operate(c.Pause(on=True))
        if not (paused or self._holding):
            self._fold(e.PauseChanged(False))

    def _give_standing(self, worker: str) -> None:
        for (name, _), order in self._standing.items():
            if name == worker:
                self._handles[name].give(order)

    def _on_duty_done(self, duty: asyncio.Task[None]) -> None:
        """A duty ends only with the station; if one failed, the run must not go on without it."""
        if not duty.cancelled() and (error := duty.exception()) is not None:
            log.error("the station failed: %s", error, exc_info=error)
            self._failure = f"the station failed: {type(error).__name__}: {error}"
            self._shutdown.set()

    def _note(self, text: str) -> None:
        self._fold(e.LogLine("station", e.Level.WARNING, text, time.time()))

    async def _speak_for_ever(self) -> None:
        while True:
            self._word.speak()
            arm = arm_moved(self._board.arm)
            if arm is not None and arm.at_s != self.state.arm.at_s:
                self._fold(arm)
            await asyncio.sleep(ARM_DISPLAY_PERIOD_S)

    async def _run_recipe(self) -> e.RunEnded:
        stop = asyncio.create_task(self._shutdown.wait())
        begin = asyncio.create_task(self._begin())
        try:
            await asyncio.wait({stop, begin}, return_when=asyncio.FIRST_COMPLETED)
            if begin.done():
                return begin.result()
            if self._failure:
                return e.RunEnded(self._failure, succeeded=False, failed=True)
            return e.RunEnded("stopped by the operator", succeeded=False)
        finally:
            for task in (stop, begin):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await begin

    async def _begin(self) -> e.RunEnded:
        await self._start_asked.wait()
        try:
            return await self._recipe.run()
        except Exception as error:
            log.exception("the job failed")
            reason = f"the job failed: {type(error).__name__}: {error}"
            return e.RunEnded(reason, succeeded=False, failed=True)

    async def _until_read(self) -> None:
        """The result stays on the screens until an operator ends the run, or the last of them is gone."""
        unread = asyncio.create_task(self.wait_for(lambda: not self._server.consoles))
        ended = asyncio.create_task(self._shutdown.wait())
        await asyncio.wait({unread, ended}, return_when=asyncio.FIRST_COMPLETED)
        unread.cancel()
        ended.cancel()

    async def _stop_workers(self) -> None:
        """Actor first, so that its last step is complete; then everybody else at once."""
        telling = asyncio.create_task(self._tell_who_is_waited_for())
        for wave in stop_waves(self._handles):
            await asyncio.gather(*(handle.stop() for handle in wave))
        telling.cancel()
        for handle in self._handles.values():
            handle.kill()

    async def _tell_who_is_waited_for(self) -> None:
        """From the third second on; the robot worker tells itself how it parks."""
        for seconds in itertools.count(1):
            await asyncio.sleep(1.0)
            names = [name for name, handle in self._handles.items() if handle.alive]
            if seconds >= TELL_WAITING_S and names and not ARM_WORKERS & set(names):
                self._fold(e.PhaseChanged(e.Phase.STOPPING, f"waiting for {', '.join(names)}, {seconds} s"))
