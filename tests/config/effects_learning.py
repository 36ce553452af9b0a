"""Effects of [policy], [algorithm] and [checkpoint]: networks, updates, sessions of a learner on a made-up log."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from tests.config.effect_tools import Effect, FakeDesk, rounds
from tests.learner.test_policy import observe as seen_by_policy
from tests.learner.test_sac import make_batch
from tests.learner.test_session import record_episodes
from workers.actor.policy import Policy
from workers.actor.runtime import PolicyRuntime
from workers.config import Config
from workers.learner.backbones import ResNet10
from workers.learner.sac import SAC
from workers.learner.sac_state import policy_tensors, state_tensors
from workers.learner.session import LearnerSession, SessionRefused
from workers.learner.worker import Loop
from workers.model.events import LearnerProgress, PolicyPublished
from workers.model.orders import Learn
from workers.runtime.harness import WorkerFailure
from workers.transport.record import FeatureSpec

FEATURES = FeatureSpec(state_dim=3, cameras=("front", "side"), height=32, width=32)
LONG_S, NO_TIME_S = 1000.0, 1e-6


def fingerprint(sac: SAC) -> Any:
    """Every tensor of a learner, in one figure and its shape."""
    return {name: [tensor.shape, tensor.double().sum().item()] for name, tensor in state_tensors(sac).items()}


def trained(updates: int = 3) -> Any:
    """Observe networks after a few updates on one batch."""

    def observe(config: Config, folder: Path) -> Any:
        torch.set_num_threads(1)
        sac = SAC(FEATURES, config.policy, config.algorithm, seed=config.run.seed)
        for _ in range(updates):
            sac.update(make_batch(features=FEATURES))
        return fingerprint(sac)

    return observe


def compiled(config: Config, folder: Path) -> bool:
    """Whether losses and steps would be compiled at the first update."""
    sac = SAC(FEATURES, config.policy, config.algorithm, seed=0)
    return sac.descent.flat.keys() == sac.optimisers.keys()


def computes_in_half(config: Config, folder: Path) -> bool:
    """Whether a GPU would compute the convolutions in bfloat16."""
    return SAC(FEATURES, config.policy, config.algorithm, seed=0).encoder.uses_amp


def session(config: Config, demonstrations: int = 3, others: int = 2) -> LearnerSession:
    record_episodes(config, 0, demonstrations, demonstration=True)
    record_episodes(config, demonstrations, others, demonstration=False)
    return LearnerSession(config)


def learned(config: Config, folder: Path) -> Any:
    """Networks after the updates that a session makes on its own log."""
    made = session(config)
    for _ in range(4):
        made.update()
    made.close()
    return fingerprint(made.sac)


def acts(config: Config, folder: Path) -> Any:
    """The policy that is laid down after the updates that a session makes on its own log."""
    made = session(config)
    for _ in range(4):
        made.update()
    made.close()
    return {name: tensor.double().sum().item() for name, tensor in policy_tensors(made.sac).items()}


def stored(config: Config, folder: Path) -> Any:
    made = session(config)
    made.close()
    return [made.replay.online_size, made.replay.demonstration_size]


def paced(config: Config, folder: Path) -> int:
    """Updates until the learner waits for the actor."""
    made = session(config, others=1)
    while not made.ahead_of_data():
        made.update()
    made.close()
    return made.updates


def saved(config: Config, folder: Path) -> Any:
    """Checkpoints on disk after eight updates, each saved when it is due."""
    made = session(config)
    for _ in range(8):
        made.update()
        if made.checkpoint_due():
            made.save_checkpoint(wait=True)
    made.close()
    return sorted(path.name for path in config.run_dir.glob("checkpoints/*"))


def metrics_rows(config: Config, folder: Path) -> int:
    made = session(config)
    for _ in range(8):
        made.update()
    made.close()
    return len((config.run_dir / "metrics.jsonl").read_bytes().splitlines())


def worked(config: Config, folder: Path) -> Any:
    """What the learner's loop says it does, and how often it lays down a policy, in a few rounds."""
    made = session(config, others=8)
    desk = FakeDesk([Learn(True, all_demonstrated=True)], rounds(6))
    Loop(desk, config, made).run()  # type: ignore[arg-type]
    made.close()
    status = [event.status for event in desk.mailbox.of(LearnerProgress)]
    return [status, len(desk.mailbox.of(PolicyPublished))]


def pretraining(config: Config, folder: Path) -> int:
    """Updates on demonstrations before anything else."""
    made = session(config)
    updates = 0
    while made.pretrain_left:
        made.pretrain()
        updates += 1
    made.close()
    return updates


def threads(config: Config, folder: Path) -> int:
    before = torch.get_num_threads()
    session(config).close()
    used = torch.get_num_threads()
    torch.set_num_threads(before)
    return used


def opened(config: Config, folder: Path) -> str:
    """Whether a learner can start, or why not."""
    try:
        session(config).close()
    except SessionRefused as refused:
        return str(refused)
    return "well"


def driven_by_policy(config: Config, folder: Path) -> str:
    """Whether the actor can run a policy, or why not."""
    try:
        PolicyRuntime(config, lambda event: None)
    except WorkerFailure as refused:
        return str(refused)
    return "well"


def explored(config: Config, folder: Path) -> Any:
    """Gripper commands that a policy tries in training."""
    sac = SAC(FEATURES, config.policy, config.algorithm, seed=1)
    policy = Policy(FEATURES, config.policy, config.algorithm)
    policy.load(policy_tensors(sac), version=1)
    generator = torch.Generator().manual_seed(1)
    actions = [policy.act(seen_by_policy(FEATURES), False, generator) for _ in range(40)]
    return [float(action[-1]) for action in actions]


def made_weights(folder: Path) -> None:
    """Weights of a published kind, random ones."""
    torch.manual_seed(0)
    weights = {name: tensor.contiguous() for name, tensor in ResNet10().state_dict().items()}
    save_file(weights, folder / "resnet10.safetensors")


def encoded(config: Config, folder: Path) -> Any:
    """Networks with such weights after one update."""
    made_weights(folder)
    return trained(updates=1)(config, folder)


def learned_with_resnet(config: Config, folder: Path) -> Any:
    """As `learned`, with such weights."""
    made_weights(folder)
    return learned(config, folder)


def acted(config: Config, folder: Path) -> Any:
    """What a new policy does, sampled."""
    sac = SAC(FEATURES, config.policy, config.algorithm, seed=1)
    policy = Policy(FEATURES, config.policy, config.algorithm)
    policy.load(policy_tensors(sac), version=1)
    generator = torch.Generator().manual_seed(1)
    return np.stack([policy.act(seen_by_policy(FEATURES), False, generator) for _ in range(5)])


RESNET = {
    "policy.vision_encoder_name": "{folder}/resnet10.safetensors",
    "policy.image_encoder_hidden_dim": None,
}
CLONING = {"algorithm.bc_weight": 0.3}
NEXT = trained()

EFFECTS: dict[str, Effect] = {
    "device": Effect(("cpu", "mps"), driven_by_policy),
    "policy.device": Effect(("cpu", "mps"), opened),
    "policy.storage_device": Effect(("cpu", "mps"), opened),
    "policy.vision_encoder_name": Effect(
        ("cnn", "{folder}/resnet10.safetensors"), encoded, {"policy.image_encoder_hidden_dim": None}
    ),
    "policy.freeze_vision_encoder": Effect((True, False), encoded, RESNET),
    "policy.feature_replay": Effect((0, 2), learned_with_resnet, RESNET),
    "policy.image_encoder_hidden_dim": Effect((4, 8), NEXT),
    "policy.input_downsample": Effect((2, 1), NEXT),
    "policy.camera_fusion": Effect(("late", "early"), NEXT),
    "policy.image_embedding_pooling_dim": Effect((0, 2), NEXT),
    "policy.latent_dim": Effect((8, 12), NEXT),
    "policy.state_encoder_hidden_dim": Effect((8, 12), NEXT),
    "policy.actor_network_kwargs.hidden_dims": Effect(([8], [8, 8]), NEXT),
    "policy.discrete_critic_network_kwargs.hidden_dims": Effect(([8], [12]), NEXT),
    "policy.policy_kwargs.std_min": Effect((1e-5, 0.5), acted),
    "policy.policy_kwargs.std_max": Effect((10.0, 0.05), acted),
    "policy.policy_kwargs.init_final": Effect((0.05, 0.5), acted),
    "policy.policy_kwargs.init_std": Effect((0.2, 1.0), acted),
    "policy.online_buffer_capacity": Effect((200, 10), stored),
    "policy.offline_buffer_capacity": Effect((200, 20), stored),
    "policy.online_step_before_learning": Effect((0, 150), worked),
    "policy.use_torch_compile": Effect((None, True), compiled),
    "policy.use_amp": Effect((False, True), computes_in_half),
    "policy.torch_threads": Effect((1, 2), threads),
    "policy.actor_learner_config.policy_parameters_push_frequency": Effect((NO_TIME_S, LONG_S), worked),
    "algorithm.batch_size": Effect((8, 16), learned),
    "algorithm.online_ratio": Effect((0.5, 1.0), learned),
    "algorithm.utd_ratio": Effect((2, 3), paced),
    "algorithm.discount": Effect((0.97, 0.5), NEXT),
    "algorithm.critic_target_update_weight": Effect((0.01, 0.5), NEXT),
    "algorithm.temperature_init": Effect((0.01, 0.5), NEXT),
    "algorithm.target_entropy": Effect((None, 3.0), NEXT),
    "algorithm.actor_lr": Effect((3e-4, 1e-2), NEXT),
    "algorithm.critic_lr": Effect((3e-4, 1e-2), NEXT),
    "algorithm.temperature_lr": Effect((3e-4, 1e-2), NEXT),
    "algorithm.num_critics": Effect((2, 3), NEXT),
    "algorithm.critic_network_kwargs.hidden_dims": Effect(([8], [12]), NEXT),
    "algorithm.num_subsample_critics": Effect((None, 1), NEXT),
    "algorithm.use_backup_entropy": Effect((False, True), NEXT),
    "algorithm.policy_average_weight": Effect((1.0, 0.1), acts),
    "algorithm.grad_clip_norm": Effect((40.0, 1e-6), NEXT),
    "algorithm.policy_update_freq": Effect((1, 2), learned),
    "algorithm.discrete_exploration": Effect((0.0, 1.0), explored),
    "algorithm.bc_pretrain_updates": Effect((0, 5), pretraining),
    "algorithm.bc_weight": Effect((0.0, 0.3), NEXT),
    "algorithm.bc_decay_updates": Effect((0, 2), NEXT, CLONING),
    "algorithm.bc_gripper_margin": Effect((0.1, 1.0), NEXT, CLONING),
    "algorithm.bc_q_filter": Effect((False, True), NEXT, CLONING),
    "algorithm.log_freq": Effect((2, 4), metrics_rows),
    "algorithm.random_shift_px": Effect((0, 8), learned),
    "checkpoint.save_checkpoint": Effect((True, False), saved, {"checkpoint.save_freq": 4}),
    "checkpoint.save_freq": Effect((2, 4), saved),
    "checkpoint.keep": Effect((3, 5), saved, {"checkpoint.save_freq": 1}),
}
