"""Learner worker: takes in transitions, trains, lays down policies, checkpoints and metrics."""

import logging
import time
from typing import TYPE_CHECKING

from workers.config import Config
from workers.config.live import applied
from workers.learner.dataset_watch import DatasetWatch
from workers.learner.lockstep_place import WORD_EVERY_S, own_place
from workers.model.events import BufferFilled, LearnerProgress, PolicyPublished
from workers.model.orders import ChangeSettings, Learn, NoteSuccess
from workers.runtime.beginning import Beginning
from workers.runtime.harness import Desk, WorkerFailure

if TYPE_CHECKING:  # torch takes seconds to import: only in the process that trains
    from workers.learner.session import LearnerSession

REPORT_PERIOD_S = 1.0
SKIPS_ALLOWED = 10  # updates in a row whose gradients hold NaN, before learning stops
LEAST_DEMONSTRATION_STEPS = 40  # cloning fewer would only memorise one episode
TELLING_UPDATES = 10  # of so many the pace can be told; the first ones compile and allocate
log = logging.getLogger(__name__)


def main(desk: Desk, config: Config, beginning: Beginning = Beginning.AS_LEFT) -> None:
    """Train until told to quit. Raises WorkerFailure when the session is refused; it says why.

    `beginning` says what becomes of checkpoints at the first start; a worker that is started again goes on.
    Under torchrun this is rank 0 (`lockstep.py`).
    """
    from workers.learner.lockstep import opened
    from workers.learner.memory import favour_training, tune_allocator
    from workers.learner.session import SessionRefused
    from workers.learner.sharding import RanksApart
    from workers.processors.errors import EnvironmentRefused
    from workers.transport.log import LogError

    tune_allocator()
    if desk.restarts or own_place().restarts:
        beginning = Beginning.AS_LEFT
    try:
        session = opened(config, beginning, breathe=desk.alive)
    except (SessionRefused, EnvironmentRefused, LogError, RanksApart) as refused:
        raise WorkerFailure(str(refused)) from refused
    favour_training()
    try:
        Loop(desk, config, session).run()
    except (LogError, RanksApart) as broken:
        raise WorkerFailure(str(broken)) from broken
    finally:
        session.close()


class Countdown:
    """How long so many updates still take, by how long those before took."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None  # how many were left, and when

    def told(self, left: int, now_s: float) -> str:
        """Of `left` updates at `now_s`."""
        if self._first is None or left > self._first[0]:
            self._first = left, now_s
        done, took_s = self._first[0] - left, now_s - self._first[1]
        if done < TELLING_UPDATES:
            return f"{left} updates left"
        left_s = left * took_s / done
        words = f"{left_s:.0f} s" if left_s < 100 else f"{left_s / 60:.0f} min"
        return f"{words} left ({left} updates)"


class Loop:
    """The order of the work: read the log, then one update if there is reason for one, then tell."""

    def __init__(self, desk: Desk, config: Config, session: "LearnerSession") -> None:
        self._desk = desk
        self._config = config
        self._session = session
        self._may_learn = False
        self._all_demonstrated = False
        self._told_s = 0.0
        self._told_updates = session.updates
        self._published_s = 0.0
        self._status = ""
        self._told_diverged = False
        self._cloning = Countdown()
        self._dataset = DatasetWatch(config)
        nap_s = config.policy.actor_learner_config.queue_get_timeout
        self._nap_s = min(nap_s, WORD_EVERY_S) if own_place().world > 1 else nap_s

    def run(self) -> None:
        if self._session.policy_version:
            self._desk.mailbox.emit(PolicyPublished(self._session.policy_version))
        self._take_orders(wait_s=0.0)
        while self._desk.alive():
            self._session.take_in()
            self._status = self._work()
            self._report()
            self._take_orders(wait_s=0.0)  # last, so that Quit waits for no update that comes after it
        self._session.save_checkpoint(wait=True)

    def _take_orders(self, wait_s: float) -> bool:
        """Take what was ordered, waiting at most `wait_s` for the first order; whether there was one."""
        order = self._desk.next_order(wait_s)
        ordered = order is not None
        while order is not None:
            if isinstance(order, Learn):
                self._may_learn, self._all_demonstrated = order.on, order.all_demonstrated
                self._session.number_on_from(order.newest_policy)
            elif isinstance(order, NoteSuccess):
                self._session.note_success(order.policy_version, order.successes, order.trials)
            elif isinstance(order, ChangeSettings):
                self._change(order)
            order = self._desk.next_order()
        return ordered

    def _change(self, order: ChangeSettings) -> None:
        """Orders are taken between two updates: the next one is made with the new settings."""
        self._config = applied(self._config, order.values, log.info)
        self._session.change(order.values)

    def _work(self) -> str:
        """Do one unit of work, or wait a moment; says what and why."""
        session, config = self._session, self._config
        if not self._may_learn:
            return self._wait("waiting for the run to start")
        shown = session.replay.demonstration_size
        if session.pretrain_left and not (self._all_demonstrated and shown == 0):
            if shown < LEAST_DEMONSTRATION_STEPS and not self._all_demonstrated:
                return self._wait(f"waiting for demonstrations, {shown}/{LEAST_DEMONSTRATION_STEPS} steps")
            session.pretrain()
            return f"cloning, {self._cloning.told(session.pretrain_left, time.monotonic())}"
        if session.checkpoint_due():
            session.save_checkpoint()
        if not self._published_s:
            self._publish()
        needed = config.policy.online_step_before_learning
        if not shown:
            needed = max(1, needed)  # something to draw a batch from
        if session.replay.online_size < needed:
            return self._wait(f"warm-up {session.replay.online_size}/{needed} transitions")
        if session.ahead_of_data():
            return self._wait(f"keeping UTD {config.algorithm.utd_ratio}: waiting for the actor")
        if self._diverged():
            return self._wait("stopped: every update gives NaN; the last good weights are kept")
        session.update()
        if (
            time.monotonic() - self._published_s
            > config.policy.actor_learner_config.policy_parameters_push_frequency
        ):
            self._publish()
        return "training"

    def _diverged(self) -> bool:
        """Whether one update after the other was left out, as far as metrics have been read; said once."""
        skipped = self._session.take_metrics().get("skipped_in_a_row", 0.0)
        diverged = skipped >= SKIPS_ALLOWED
        if diverged and not self._told_diverged:
            log.error(
                "the last %d updates gave gradients with NaN or infinity and were left out; learning stops and the"
                " policy stays as it is. Lower algorithm.critic_lr and actor_lr, look for rewards or states out of"
                " all proportion, and start again: it goes on from the newest checkpoint",
                skipped,
            )
        self._told_diverged = diverged
        return diverged

    def _wait(self, why: str) -> str:
        """Sleep until something is ordered, new records are told of, or it is time to look for them anyway."""
        self._status = why
        until_s = time.monotonic() + self._nap_s
        while self._desk.alive() and (left_s := until_s - time.monotonic()) > 0:
            if self._take_orders(wait_s=min(left_s, REPORT_PERIOD_S)):
                break
            self._report()
        return why

    def _publish(self) -> None:
        self._published_s = time.monotonic()
        version = self._session.publish()
        if version is not None:
            self._desk.mailbox.emit(PolicyPublished(version))

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._told_s < REPORT_PERIOD_S:
            return
        session = self._session
        rate = (session.updates - self._told_updates) / (now - self._told_s) if self._told_s else 0.0
        self._told_s, self._told_updates = now, session.updates
        if edited := self._dataset.changed():
            log.warning(edited)
        replay = session.replay
        self._desk.mailbox.emit(
            BufferFilled(
                replay.online_size,
                replay.offline_size,
                replay.demonstration_size,
                replay.offline_size - replay.demonstration_size,
                session.buffer_bytes(),
            )
        )
        metrics = session.take_metrics()
        progress = LearnerProgress(
            session.updates,
            session.env_steps,
            session.utd,
            rate,
            session.policy_version,
            self._status,
            metrics,
        )
        self._desk.mailbox.emit(progress)
