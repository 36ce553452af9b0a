"""LearnerSession: log, replay, SAC, checkpoints and policy shelf of one run, without processes or orders.

The worker loop calls it in real time; benchmarks and slow tests drive it as fast as the machine allows.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from itertools import islice

import numpy as np
import torch

from workers.config import Config
from workers.config.live import Scalar, changed
from workers.dataset.errors import DatasetError
from workers.dataset.feed import fed_before, feed
from workers.learner.backbones import BackboneNotFound
from workers.learner.batch import Batch
from workers.learner.checkpoint import Checkpoint
from workers.learner.checkpoint_store import POLICY_VERSION, CheckpointStore
from workers.learner.devices import DeviceMissing, usable_device
from workers.learner.feature_maps import feature_maps
from workers.learner.graphs import Metrics
from workers.learner.intake import Intake, LogLost, Runs, one_ahead
from workers.learner.memory import ReplayTooLarge, available_bytes, check_fits, replay_bytes
from workers.learner.metrics import MetricsLog
from workers.learner.policy_settings import PolicySettings
from workers.learner.replay import Replay, frame_slots
from workers.learner.resume import ANEW, SessionRefused, check_belongs, checkpoint_to_resume
from workers.learner.sac import SAC
from workers.learner.sac_state import (
    check_state_tensors,
    frozen_tensors,
    load_state_tensors,
    policy_tensors,
    state_tensors,
)
from workers.learner.settings_hash import features_hash, settings_hash
from workers.learner.sharding import ALONE, Shard, digest
from workers.learner.streams import Ahead
from workers.processors.build import feature_spec
from workers.transport.log import LogMismatch
from workers.transport.record import Record, Step
from workers.transport.shelf import PolicyShelf

RECORDS_AT_ONCE = 64  # 6 MB of two raw 128x128 cameras: some milliseconds between two updates
log = logging.getLogger(__name__)

__all__ = ["LearnerSession", "SessionRefused"]


class LearnerSession:
    """Everything the learner knows of a run.

    Raises SessionRefused when a device is not here, the replay cannot fit, a log of the run has other
    features, the weights of the vision encoder or the demonstrations of a dataset cannot be had, or
    checkpoints cannot be resumed.
    """

    def __init__(
        self,
        config: Config,
        breathe: Callable[[], object] = lambda: None,
        *,
        fresh: bool = False,
        resume_required: bool = False,
        shard: Shard = ALONE,
    ) -> None:
        """Go on from the newest good checkpoint, or begin where there is none.

        `breathe` is called while a long log is read, so that whoever watches sees life. With `fresh`, move
        checkpoints aside and begin; with `resume_required`, refuse to begin. On several ranks (`lockstep.py`)
        what was never taken in waits for rank 0's word, which comes after all stand alike.
        """
        torch.set_num_threads(config.policy.torch_threads)
        self._config = config
        self.features = feature_spec(config)
        policy, algorithm = config.policy, config.algorithm
        online, offline = policy.online_buffer_capacity, policy.offline_buffer_capacity
        try:
            device = usable_device(policy.device, "policy.device")
            storage_device = usable_device(policy.storage_device, "policy.storage_device")
            if device.type == "cuda":
                torch.cuda.set_device(device)  # where streams and kernels are made that name no other
            sharing = shard.world if shard.rank == 0 and storage_device.type == "cpu" else 1
            check_fits(self.features, policy, available_bytes(storage_device), sharing)
            self._intake = Intake(config.run_dir, self.features)
            self.sac = SAC(self.features, policy, algorithm, seed=config.run.seed, device=device, shard=shard)
        except (DeviceMissing, ReplayTooLarge, LogMismatch, BackboneNotFound) as error:
            raise SessionRefused(str(error)) from error
        slots, seed = frame_slots(online, offline), config.run.seed
        maps = feature_maps(
            self.sac.encoder, self.features, policy, algorithm, slots=slots, seed=seed, device=storage_device
        )
        self.replay = Replay(self.features, online, offline, storage_device, maps)
        self._ahead = Ahead(device)
        self._bytes_a_transition = replay_bytes(self.features, policy) / (online + offline)
        self._settings_hash = settings_hash(policy, algorithm)
        self._rng = np.random.default_rng(config.run.seed)
        self._shelf = PolicyShelf(config.run_dir / "policy")
        self._shelf_ready = False
        self._checkpoints = CheckpointStore(config.run_dir / "checkpoints", keep=config.checkpoint.keep)
        self._shard = shard
        self._metrics_log = MetricsLog(config) if shard.rank == 0 else None
        self._metrics: dict[str, float] = {}
        self.pretrain_done = 0
        self.env_steps = 0
        self.policy_version = 0
        self._saved = (0, 0)
        self._begin(breathe, fresh, resume_required)

    # counters

    @property
    def updates(self) -> int:
        """Critic updates done, cloning not counted."""
        return self.sac.critic_updates

    @property
    def pretrain_left(self) -> int:
        return max(0, self._config.algorithm.bc_pretrain_updates - self.pretrain_done)

    @property
    def utd(self) -> float:
        """Updates done per environment step of training received."""
        return self.updates / self.env_steps if self.env_steps else 0.0

    def ahead_of_data(self) -> bool:
        """Whether one more update would exceed the configured update-to-data ratio."""
        return self.updates >= self._config.algorithm.utd_ratio * self.env_steps

    def buffer_bytes(self) -> int:
        """Memory that the stored transitions fill."""
        return int((self.replay.online_size + self.replay.demonstration_size) * self._bytes_a_transition)

    def change(self, values: Mapping[str, Scalar]) -> None:
        """Go on with other values of settings that may change, by their dotted keys (`workers.config.live`)."""
        self._config = changed(self._config, values)

    # work

    def take_in(self) -> Runs:
        """Read what the actors appended to their logs, a piece at a time; how many records of which, in order."""
        return self._take(self._intake.read_new(limit=RECORDS_AT_ONCE))

    def take_in_as(self, runs: Runs) -> None:
        """Read what another rank took in. Raises LogLost."""
        self._take(self._intake.read_as(runs))

    def _take(self, taken: list[tuple[str, list[Record]]]) -> Runs:
        for source, records in taken:
            for record in records:
                self._add(source, record)
        return [(source, len(records)) for source, records in taken]

    def _add(self, source: str, record: Record) -> None:
        with self._ahead.adding():
            self.replay.add(record, source)
        if isinstance(record, Step) and not record.is_demonstration:
            self.env_steps += 1
        if self._metrics_log is not None:
            self._metrics_log.take(source, record, self.updates, self.env_steps)

    def pretrain(self) -> None:
        """One behaviour-cloning update on the demonstrations."""
        metrics = self.sac.pretrain(self._ahead.draw(lambda: self._sample(0.0)))
        self.pretrain_done += 1
        self._note(metrics, self.pretrain_done)

    def update(self) -> None:
        """One critic update; every `policy_update_freq`-th also updates actor and temperature."""
        algorithm = self._config.algorithm
        batch = self._ahead.draw(lambda: self.sac.encoded(self._sample(algorithm.online_ratio)))
        with_actor = (self.updates + 1) % algorithm.policy_update_freq == 0
        self._note(self.sac.update(batch, with_actor=with_actor), self.updates)

    def _sample(self, online_ratio: float) -> Batch:
        algorithm = self._config.algorithm
        return self.replay.sample(
            algorithm.batch_size, online_ratio, self._rng, algorithm.random_shift_px, self._shard
        )

    def _note(self, metrics: Metrics, count: int) -> None:
        """Read and write down every `log_freq`-th update's metrics: reading them waits for the device."""
        if count % self._config.algorithm.log_freq == 0:
            self._metrics |= self._shard.read(metrics)
            if self._metrics_log is not None:
                self._metrics_log.write(self.updates, self._figures() | self._metrics)

    def _figures(self) -> dict[str, float]:
        return {
            "env_steps": self.env_steps,
            "utd": round(self.utd, 3),
            "online": self.replay.online_size,
            "offline": self.replay.offline_size,
            "policy_version": self.policy_version,
            "rejected": self.replay.rejected,
        }

    def take_metrics(self) -> dict[str, float]:
        """Newest value of every metric."""
        return {name: round(value, 5) for name, value in self._metrics.items()}

    # what leaves

    def publish(self) -> int | None:
        """Lay down the policy; its version, or None when it holds NaN and must not drive an arm.

        A frozen backbone and the settings are laid down once, before the first version of this session.
        """
        tensors = policy_tensors(self.sac, include_frozen=False)
        if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
            log.error("the policy holds NaN or infinity and is not published; lower the learning rates")
            return None
        try:
            if not self._shelf_ready:
                self._shelf.describe(PolicySettings.of(self._config, self.features).to_json())
                if frozen := frozen_tensors(self.sac):
                    self._shelf.publish_frozen(frozen)
                self._shelf_ready = True
            self._shelf.publish(self.policy_version + 1, tensors)
        except OSError as error:
            log.error(
                "policy %d cannot be written: %s; the actor keeps the last one",
                self.policy_version + 1,
                error,
            )
            return None
        self.policy_version += 1
        return self.policy_version

    def number_on_from(self, version: int) -> None:
        """Give later policies higher numbers than `version`: an actor takes newer ones only."""
        self.policy_version = max(self.policy_version, version)

    # resume

    def checkpoint_due(self) -> bool:
        """Whether enough was learned since the last one; the end of cloning is worth one of its own."""
        if not self._config.checkpoint.save_checkpoint:
            return False
        cloned, updates = self._saved
        just_cloned = self.pretrain_left == 0 and cloned < self.pretrain_done
        return just_cloned or self.updates >= updates + self._config.checkpoint.save_freq

    def save_checkpoint(self, wait: bool = False) -> None:
        """Save in the background, unless the run writes none; with `wait`, return when it is on disk."""
        if not self._config.checkpoint.save_checkpoint:
            return
        if wait:
            self._checkpoints.wait()
        learned = (self.pretrain_done, self.updates)
        if self._checkpoints.saving or (learned == self._saved and not self._checkpoints.error):
            return
        try:
            snapshot = self._snapshot()
        except OSError as error:
            log.error("checkpoint %d was not written: %s; earlier ones are intact", self.updates, error)
            return
        self._saved = learned
        self._checkpoints.save_async(snapshot, prepare=self._intake.sync)
        log.info("checkpoint at update %d, %d of cloning", self.updates, self.pretrain_done)
        if wait:
            self._checkpoints.wait()

    def note_success(self, policy_version: int, successes: int, trials: int) -> None:
        """Note how an evaluated policy did: the checkpoint nearest to the best one is never rotated away."""
        try:
            best = self._checkpoints.note_success(policy_version, successes, trials)
        except OSError as error:
            log.error("the best checkpoint cannot be noted: %s", error)
            return
        if best is not None:
            log.info("best so far: %s, %d of %d episodes succeeded", best.name, successes, trials)

    def close(self) -> None:
        """Let a running save finish and close the files."""
        self._checkpoints.wait()
        if self._metrics_log is not None:
            self._metrics_log.close()

    def fingerprint(self) -> bytes:
        """SHA-256 of what the next update depends on; of the replay, how many records it was made from."""
        positions = sorted((source, at.records) for source, at in self._intake.positions().items())
        stand = (self._settings_hash, self._rng.bit_generator.state, self.pretrain_done, positions)
        return hashlib.sha256(digest(state_tensors(self.sac)) + repr(stand).encode()).digest()

    def _snapshot(self) -> Checkpoint:
        """What goes into a checkpoint. Raises OSError."""
        return Checkpoint(
            step=self.updates,
            logs=self._intake.positions(),
            intake=self._intake.mark(),
            settings_hash=self._settings_hash,
            features_hash=features_hash(self.features),
            counters={
                "pretrain_done": self.pretrain_done,
                "env_steps": self.env_steps,
                POLICY_VERSION: self.policy_version,
            },
            rng=self._rng.bit_generator.state,
            tensors=state_tensors(self.sac),
        )

    def _begin(self, breathe: Callable[[], object], fresh: bool, resume_required: bool) -> None:
        """Resume, or begin from the logs, a dataset's among them."""
        self.policy_version = max(self._shelf.versions(), default=0)
        self._feed(breathe)
        try:
            checkpoint = checkpoint_to_resume(
                self._config, self._checkpoints, self._check, fresh=fresh, required=resume_required
            )
            if checkpoint is not None:
                self._resume(checkpoint, breathe)
                return
            self._intake.begin()
        except OSError as error:
            raise SessionRefused(f"the learner cannot start: {error}. Check that disk and folder.") from error
        if self.policy_version and not fresh:
            log.warning("no checkpoint was saved before: learning begins anew, from the whole log")
        if self._shard.world == 1:
            for taken in one_ahead(iter(lambda: self._intake.read_new(RECORDS_AT_ONCE), []), breathe):
                self._take(taken)

    def _feed(self, breathe: Callable[[], object]) -> None:
        """Have the demonstrations of a dataset in a log of the run, where the configuration names one."""
        if self._shard.rank > 0 or not self._config.feeds_dataset:
            return
        try:
            feed(self._config, breathe)
        except DatasetError as error:
            raise SessionRefused(str(error)) from error

    def _resume(self, checkpoint: Checkpoint, breathe: Callable[[], object]) -> None:
        load_state_tensors(self.sac, checkpoint.tensors)
        self._rng.bit_generator.state = dict(checkpoint.rng)
        self.pretrain_done = checkpoint.counters["pretrain_done"]
        self.policy_version = max(self.policy_version, checkpoint.counters[POLICY_VERSION])
        self._saved = (self.pretrain_done, checkpoint.step)
        try:
            self._restore_replay(checkpoint, breathe)
        except LogLost as error:
            raise SessionRefused(
                f"the run {self._config.run.name} cannot be resumed at update {checkpoint.step}: {error}."
                f" Put that log back, or decide otherwise: {ANEW}; its checkpoints are kept."
            ) from error
        log.info("resumed at update %d, %d of cloning", checkpoint.step, self.pretrain_done)

    def _check(self, checkpoint: Checkpoint) -> None:
        """Raises NoCheckpoint when the run is now another one, ValueError when the checkpoint is bad."""
        check_belongs(checkpoint, self._settings_hash, features_hash(self.features))
        check_state_tensors(self.sac, checkpoint.tensors)

    def _restore_replay(self, checkpoint: Checkpoint, breathe: Callable[[], object]) -> None:
        """The replay as it was, frame by frame; later records come through `take_in`."""
        records = self._intake.restore(checkpoint.logs, checkpoint.intake, fed_before(self._config))
        for piece in one_ahead(iter(lambda: list(islice(records, RECORDS_AT_ONCE)), []), breathe):
            for source, record in piece:
                self._add(source, record)
        expected = checkpoint.counters.get("env_steps", self.env_steps)
        if self.env_steps != expected:
            raise LogLost(
                f"its logs hold {self.env_steps:,} steps where {expected:,} were learned from: they are others"
            )
