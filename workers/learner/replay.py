"""Replay: online and offline views over one store of frames, fed straight from the logs.

Online holds what the running policy and the person did; offline holds demonstrations and interventions.
Both are lists of slots in one `FrameStore`, so a frame needed by both exists once, and a frame that an
offline transition needs stays while online moves on. Batches are drawn from both (RLPD, Ball et al. 2023).

A transition joins its views when its successor in the same episode arrives. The last step of an episode
that was interrupted has none and is dropped, so no state is ever paired with another segment's. Each source
(the log of one actor) has an episode of its own open; what it numbers is told apart by the source.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.learner.batch import Batch, Observation
from workers.learner.frame_store import FrameStore
from workers.learner.index_ring import IndexRing
from workers.learner.pictures import Pictures, Shifts, picture_store
from workers.learner.sharding import ALONE, Shard
from workers.learner.staging import TURNS, Staging
from workers.transport.record import EpisodeEnd, FeatureSpec, Record, Step

Slots = NDArray[np.int64]


@dataclass(slots=True)
class _OpenStep:
    """The newest step of a source, still waiting for its successor."""

    slot: int
    step: Step


class Replay:
    """Online and offline experience in `capacity + offline_capacity` frames of memory.

    The closing observation of each episode and the successors of isolated interventions take frames too:
    when frames run out before capacities do, the oldest online transition goes, then the oldest
    intervention, then the oldest demonstration. The same records in the same order give the same replay,
    frame by frame.
    """

    def __init__(
        self,
        features: FeatureSpec,
        capacity: int,
        offline_capacity: int,
        storage_device: torch.device | str = "cpu",
        pictures: Pictures | None = None,
    ) -> None:
        """`pictures` is where they are kept instead of as they are: a store of `frame_slots` slots on the device."""
        self.features = features
        self.capacity = capacity
        self.offline_capacity = offline_capacity
        self.rejected = 0
        """Steps and closing observations left out because they hold NaN or infinity."""
        slots = frame_slots(capacity, offline_capacity)
        self._storage_device = torch.device(storage_device)
        if pictures is None:
            pictures = picture_store(features, slots, self._storage_device)
        self._store = FrameStore(features, slots, pictures)
        self._online = IndexRing(capacity)
        self._demonstrations = IndexRing(offline_capacity)
        self._interventions = IndexRing(offline_capacity)
        self._source_numbers: dict[str, int] = {}
        self._open: dict[int, _OpenStep] = {}
        """By source number, the one that waits longest first."""
        self._numbers: dict[int, _BatchNumbers] = {}

    @property
    def online_size(self) -> int:
        """Sampleable online transitions."""
        return len(self._online)

    @property
    def offline_size(self) -> int:
        """Sampleable offline transitions: demonstrations and interventions."""
        return len(self._demonstrations) + len(self._interventions)

    @property
    def demonstration_size(self) -> int:
        """Sampleable demonstration transitions, part of `offline_size`."""
        return len(self._demonstrations)

    # Feeding

    def add(self, record: Record, source: str = "") -> None:
        """Take the next record of the log named `source`. Raises ValueError when its shapes do not fit."""
        number = self._source_numbers.setdefault(source, len(self._source_numbers))
        match record:
            case Step():
                self._add_step(record, number)
            case EpisodeEnd():
                self._end_episode(record, number)

    def _add_step(self, step: Step, source: int) -> None:
        self._check_shapes(step.state, step.images)
        if step.action.shape != (self.features.action_dim,):
            raise ValueError(
                f"record has action {step.action.shape}, this replay takes ({self.features.action_dim},)"
            )
        finite = math.isfinite(step.reward + step.discrete_penalty) and np.isfinite(step.action).all()
        if not (finite and np.isfinite(step.state).all()):
            self.rejected += 1
            self._close(source)
            return
        previous = self._open.pop(source, None)
        slot = self._take_slot()
        self._store.write_step(slot, step, source)
        if previous is not None:
            if _follows(previous.step, step):
                self._complete(previous, slot)
            self._store.release(previous.slot)
        self._open[source] = _OpenStep(slot, step)

    def _end_episode(self, end: EpisodeEnd, source: int) -> None:
        last = self._open.get(source)
        if end.discard:
            self._discard(source, end.session, end.episode)
        elif (
            last is not None
            and _same_episode(last.step, end)
            and end.state is not None
            and end.images is not None
        ):
            self._add_closing(source, end.state, end.images)
        self._close(source)

    def _add_closing(self, source: int, state: NDArray[np.float32], images: NDArray[np.uint8]) -> None:
        """The observation after the last step: a successor, never a transition of its own."""
        self._check_shapes(state, images)
        if not np.isfinite(state).all():
            self.rejected += 1
            return
        last = self._open.pop(source)
        slot = self._take_slot()
        self._store.write_observation(slot, state, images)
        self._complete(last, slot)
        self._store.release(slot)
        self._store.release(last.slot)

    def discard_episode(self, session: int, episode: int, source: str = "") -> None:
        """Forget every transition of one episode (the operator records it again)."""
        if source in self._source_numbers:
            self._discard(self._source_numbers[source], session, episode)

    def _discard(self, source: int, session: int, episode: int) -> None:
        last = self._open.get(source)
        if last is not None and (last.step.session, last.step.episode) == (session, episode):
            self._close(source)
        for ring in (self._online, self._demonstrations, self._interventions):
            slots = ring.all()
            gone = self._store.of_episode(slots, source, session, episode)
            ring.replace(slots[~gone])
            for slot in slots[gone].tolist():
                self._release_transition(slot)

    def _check_shapes(self, state: NDArray[np.float32], images: NDArray[np.uint8]) -> None:
        if state.shape != (self.features.state_dim,) or images.shape != self.features.image_shape:
            raise ValueError(
                f"record has state {state.shape} and images {images.shape}, this replay takes"
                f" ({self.features.state_dim},) and {self.features.image_shape}; use the log's own settings"
            )

    # Keeping

    def _close(self, source: int) -> None:
        """Give up waiting for a successor."""
        last = self._open.pop(source, None)
        if last is not None:
            self._store.release(last.slot)

    def _complete(self, done: _OpenStep, successor: int) -> None:
        """`done` has its next observation: put it into its views."""
        self._store.next_slot[done.slot] = successor
        step = done.step
        if step.is_demonstration:
            self._append_offline(self._demonstrations, done.slot)
            return
        if len(self._online) == self.capacity:
            self._release_transition(self._online.pop_oldest())
        self._hold_transition(self._online, done.slot)
        if step.is_intervention:
            self._append_offline(self._interventions, done.slot)

    def _append_offline(self, ring: IndexRing, slot: int) -> None:
        if not self.offline_capacity:
            return
        if self.offline_size == self.offline_capacity:
            oldest = self._interventions if len(self._interventions) else self._demonstrations
            self._release_transition(oldest.pop_oldest())
        self._hold_transition(ring, slot)

    def _hold_transition(self, ring: IndexRing, slot: int) -> None:
        ring.append(slot)
        self._store.hold(slot)
        self._store.hold(int(self._store.next_slot[slot]))

    def _release_transition(self, slot: int) -> None:
        self._store.release(int(self._store.next_slot[slot]))
        self._store.release(slot)

    def _take_slot(self) -> int:
        """A free slot, making room by age; steps in waiting go last, those of the quietest source first."""
        while not self._store.free:
            for ring in (self._online, self._interventions, self._demonstrations):
                if len(ring):
                    self._release_transition(ring.pop_oldest())
                    break
            else:
                self._close(next(iter(self._open)))
        return self._store.take()

    # Drawing

    def sample(
        self,
        batch_size: int,
        online_ratio: float,
        rng: np.random.Generator,
        random_shift_px: int = 4,
        shard: Shard = ALONE,
    ) -> Batch:
        """Draw with replacement, `online_ratio` from online and the rest from offline.

        All come from one view while the other is empty. With a shard, a batch of `batch_size` for each rank is
        drawn and the rank's own rows are copied. The batch is on the storage device, in memory that the next call of
        the same size may overwrite, on a GPU the next but one.
        Raises ValueError when there is nothing to draw.
        """
        whole = batch_size * shard.world
        online = self._online_share(whole, online_ratio)
        slots = np.concatenate([self._draw_online(online, rng), self._draw_offline(whole - online, rng)])
        shifts = self._store.pictures.draw(2 * whole, random_shift_px, rng)
        own_shifts = np.concatenate([shifts[:whole][shard.rows], shifts[whole:][shard.rows]])
        own_online = len(range(online)[shard.rows])
        numbers = self._numbers.get(batch_size)
        if numbers is None:
            numbers = _BatchNumbers(self.features, batch_size, self._storage_device)
            self._numbers[batch_size] = numbers
        return numbers.fill(self._store, slots[shard.rows], own_online, own_shifts)

    def _online_share(self, batch_size: int, online_ratio: float) -> int:
        if not self.online_size and not self.offline_size:
            raise ValueError("replay is empty: record or run at least one step and its successor first")
        if not self.offline_size:
            return batch_size
        if not self.online_size:
            return 0
        return round(batch_size * online_ratio)

    def _draw_online(self, count: int, rng: np.random.Generator) -> Slots:
        return self._online.at(rng.integers(0, max(self.online_size, 1), count))

    def _draw_offline(self, count: int, rng: np.random.Generator) -> Slots:
        positions = rng.integers(0, max(self.offline_size, 1), count)
        border = len(self._demonstrations)
        demonstrations = self._demonstrations.at(positions[positions < border])
        return np.concatenate(
            [demonstrations, self._interventions.at(positions[positions >= border] - border)]
        )


class _BatchNumbers:
    """The numbers of batches of one size, all float32, which go to the storage device in one piece."""

    def __init__(self, features: FeatureSpec, size: int, device: torch.device) -> None:
        self._motion_dim = features.motion_dim
        widths = [features.state_dim] * 2 + [features.action_dim] + [1] * 4
        self._sizes = [size * width for width in widths]
        self._staging = Staging((sum(self._sizes),), torch.float32, device)
        self._stays = device.type == "cuda"
        self._borders = np.cumsum([0, *self._sizes]).tolist()
        self._made: dict[tuple[int, int], tuple[Tensor, Tensor, Batch]] = {}
        """Batches, with their pictures and numbers, by where these are: on a GPU later ones are in the same memory."""

    def fill(self, store: FrameStore, slots: Slots, online: int, shifts: Shifts) -> Batch:
        """Copy the transitions at `slots`, of which the first `online` are from there.

        Their pictures and then those of their successors are moved by `shifts` on the way.
        """
        following = store.next_slot[slots]
        pictures = store.pictures.gather(np.concatenate([slots, following], dtype=np.int64), shifts)
        place = self._staging.place()
        offline = np.arange(len(slots)) >= online
        columns = (
            store.state[slots],
            store.state[following],
            store.action[slots],
            store.reward[slots],
            store.terminated[slots],
            store.discrete_penalty[slots],
            offline,
        )
        for (start, end), column in zip(pairwise(self._borders), columns, strict=True):
            place[start:end] = column.ravel()
        return self._as_batch(pictures, self._staging.send())

    def _as_batch(self, pictures: Tensor, numbers: Tensor) -> Batch:
        where = id(pictures), id(numbers)
        if where in self._made:
            return self._made[where][2]
        size = len(pictures) // 2
        parts = torch.split(numbers, self._sizes)
        state, next_state, action = (part.view(size, -1) for part in parts[:3])
        reward, terminated, discrete_penalty, offline = parts[3:]
        images, next_images = pictures.chunk(2)
        batch = Batch(
            observation=Observation(state, images),
            next_observation=Observation(next_state, next_images),
            action=action,
            motion_dim=self._motion_dim,
            reward=reward,
            terminated=terminated,
            discrete_penalty=discrete_penalty,
            offline=offline,
        )
        if self._stays:
            if len(self._made) == TURNS:  # memory that changes after all
                self._made.clear()
            self._made[where] = pictures, numbers, batch
        return batch


def frame_slots(capacity: int, offline_capacity: int) -> int:
    """Frames that replay allocates: the step in waiting and its successor come on top."""
    return capacity + offline_capacity + 2


def _same_episode(step: Step, other: Record) -> bool:
    return (step.session, step.episode) == (other.session, other.episode)


def _follows(step: Step, following: Step) -> bool:
    return _same_episode(step, following) and following.step == step.step + 1
