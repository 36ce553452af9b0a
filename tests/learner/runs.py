"""A made-up run of several actors, and all that a learner holds of it, for tests of intake and resume."""

import hashlib
import sys
from pathlib import Path

import msgspec
import numpy as np

from tests.learner.test_session import small_config
from workers.config import Config, PolicyConfig
from workers.learner.feature_maps import FeatureMaps
from workers.learner.frame_store import FrameStore
from workers.learner.sac_state import state_tensors
from workers.learner.session import LearnerSession
from workers.processors.build import feature_spec
from workers.transport.log import LogWriter
from workers.transport.record import EpisodeEnd, Outcome, Step
from workers.transport.sources import actor_log


def tiny_config(folder: Path, online: int = 25, offline: int = 12) -> Config:
    """Networks so small that a test takes no time, capacities so small that both views always drop something."""
    config = small_config(folder, bc_pretrain_updates=0, critic_network_kwargs={"hidden_dims": [16, 16]})
    small = {"hidden_dims": [16, 16]}
    policy = msgspec.to_builtins(config.policy) | {
        "online_buffer_capacity": online,
        "offline_buffer_capacity": offline,
        "image_encoder_hidden_dim": 4,
        "latent_dim": 8,
        "state_encoder_hidden_dim": 8,
        "actor_network_kwargs": small,
        "discrete_critic_network_kwargs": small,
    }
    return msgspec.structs.replace(config, policy=msgspec.convert(policy, PolicyConfig))


class Arm:
    """An actor that records all that can be in a log, drawn from `seed`."""

    def __init__(self, config: Config, seed: int, actor_id: str = "") -> None:
        self.features = feature_spec(config)
        self.rng = np.random.default_rng(seed)
        self.directory = actor_log(config.run_dir, actor_id, seed) if actor_id else config.run_dir / "log"
        self.log = LogWriter(self.directory, self.features)
        self.episode, self.step, self.demonstrating = 0, 0, True

    def record(self, count: int) -> None:
        for _ in range(count):
            over = self.step > 2 and self.rng.random() < 0.2
            (self._end if over else self._step)()

    def crash(self) -> None:
        """Stop within an episode and start again: a new session of the same log."""
        self.log.close()
        self.log = LogWriter(self.directory, self.features)
        self.step = 0

    def close(self) -> None:
        self.log.close()

    def _observation(self) -> dict[str, np.ndarray]:
        state = self.rng.uniform(-1, 1, self.features.state_dim).astype(np.float32)
        return {"state": state, "images": self.rng.integers(0, 255, self.features.image_shape, np.uint8)}

    def _step(self) -> None:
        action = np.array([*self.rng.uniform(-1, 1, 3), self.rng.integers(3)], np.float32)
        step = Step(
            episode=self.episode,
            step=self.step,
            action=action,
            reward=float(self.rng.random()),
            terminated=bool(self.rng.random() < 0.1),
            truncated=False,
            is_demonstration=self.demonstrating,
            is_intervention=not self.demonstrating and self.rng.random() < 0.4,
            discrete_penalty=-0.01,
            **self._observation(),
        )
        self.log.append(step)
        self.step += 1

    def _end(self) -> None:
        discard = bool(self.rng.random() < 0.2)
        self.log.append(
            EpisodeEnd(episode=self.episode, outcome=Outcome.FAILURE, discard=discard, **self._observation())
        )
        self.episode, self.step = self.episode + 1, 0
        self.demonstrating = bool(self.rng.random() < 0.3)


def contents(session: LearnerSession) -> dict[str, str]:
    """A hash of everything a session holds: networks, optimisers, generators, counters, replay slot by slot."""
    replay, store = session.replay, session.replay._store
    used = np.flatnonzero(store._references)
    parts = {name: tensor.numpy() for name, tensor in state_tensors(session.sac).items()}
    for name in ("_online", "_demonstrations", "_interventions"):
        parts[name] = getattr(replay, name).all()
    parts["references"], parts["free"] = store._references, np.array(store._free, np.int64)
    for name in ("state", "next_slot"):
        parts[name] = getattr(store, name)[used]
    parts["images"] = kept_of_pictures(store)[used]
    transitions = np.concatenate([parts["_online"], parts["_demonstrations"], parts["_interventions"]])
    for name in ("action", "reward", "terminated", "discrete_penalty", "_source", "_session", "_episode"):
        parts[name] = getattr(store, name)[transitions]
    counters = (session.updates, session.env_steps, session.pretrain_done, session.policy_version)
    waiting = [(source, step.slot, step.step.seq) for source, step in replay._open.items()]
    others = {
        "rng": session._rng.bit_generator.state,
        "counters": counters,
        "waiting": waiting,
        "sources": replay._source_numbers,
        "rejected": replay.rejected,
        "untouched": store._untouched,
    }
    found = {
        name: hashlib.sha256(np.ascontiguousarray(part).data).hexdigest() for name, part in parts.items()
    }
    return found | {name: repr(other) for name, other in others.items()}


def kept_of_pictures(store: FrameStore) -> np.ndarray:
    """What a store in main memory keeps of each slot's pictures."""
    pictures = store.pictures
    if isinstance(pictures, FeatureMaps):
        return pictures._maps.view(len(store._references), -1).numpy()
    return pictures._images


def go_on(session: LearnerSession, updates: int) -> list[str]:
    """Train; a hash of every batch that was drawn."""
    seen = []
    sample = session.replay.sample

    def noted(*args: object, **options: object) -> object:
        batch = sample(*args, **options)
        tensors = (batch.observation.state, batch.next_observation.images, batch.action, batch.reward)
        seen.append(hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest())
        return batch

    session.replay.sample = noted
    for _ in range(updates):
        session.update()
    del session.replay.sample
    return seen


if __name__ == "__main__":  # a learner in a process of its own: resume, train, tell
    resumed = LearnerSession(tiny_config(Path(sys.argv[1])), resume_required=True)
    resumed.take_in()
    batches = go_on(resumed, int(sys.argv[2]))
    sys.stdout.buffer.write(msgspec.json.encode([batches, contents(resumed)]))
    resumed.close()
