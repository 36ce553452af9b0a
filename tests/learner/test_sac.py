"""The equations against hand numbers and slow references; a toy task that must be learned."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from workers.config import AlgorithmConfig, NetworkConfig, PolicyConfig
from workers.learner.batch import Batch, Observation
from workers.learner.imitation import gripper_margin_loss, preferred_demonstrations
from workers.learner.networks import CriticEnsemble, tanh_gaussian_log_prob
from workers.learner.replay import Replay
from workers.learner.sac import SAC
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Step

FEATURES = FeatureSpec(state_dim=3, cameras=("front", "side"), height=16, width=16)
SMALL = NetworkConfig(hidden_dims=(32, 32))
POLICY = PolicyConfig(
    input_downsample=1,
    image_encoder_hidden_dim=8,
    latent_dim=16,
    state_encoder_hidden_dim=8,
    actor_network_kwargs=SMALL,
    discrete_critic_network_kwargs=SMALL,
)


def make_sac(
    features: FeatureSpec = FEATURES,
    seed: int = 0,
    device: str = "cpu",
    compiles: bool = False,
    **changes: object,
) -> SAC:
    plain: dict[str, object] = {"critic_network_kwargs": SMALL, "use_backup_entropy": False, "bc_weight": 0.0}
    algorithm = AlgorithmConfig(**plain | changes)  # type: ignore[arg-type]
    policy = msgspec.structs.replace(POLICY, use_torch_compile=compiles)
    return SAC(features, policy, algorithm, seed=seed, device=device)


def make_batch(size: int = 8, seed: int = 0, features: FeatureSpec = FEATURES) -> Batch:
    generator = torch.Generator().manual_seed(seed)

    def observation() -> Observation:
        shape = (size, *features.image_shape)
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        return Observation(torch.randn(size, features.state_dim, generator=generator), images)

    motion = torch.rand(size, features.motion_dim, generator=generator) * 2 - 1
    command = torch.randint(0, 3, (size, int(features.gripper)), generator=generator).float()
    return Batch(
        observation=observation(),
        next_observation=observation(),
        action=torch.cat([motion, command], dim=1),
        motion_dim=features.motion_dim,
        reward=torch.arange(size).float(),
        terminated=(torch.arange(size) % 2).float(),
        discrete_penalty=torch.full((size,), -0.25),
        offline=(torch.arange(size) >= size // 2).float(),
    )


def test_the_log_probability_is_that_of_the_transformed_density() -> None:
    mean, log_std = torch.randn(64, 3).double(), torch.randn(64, 3).double() * 0.3
    noise = torch.randn(64, 3).double()
    gaussian = torch.distributions.Normal(mean, log_std.exp())
    transformed = torch.distributions.TransformedDistribution(
        gaussian, [torch.distributions.TanhTransform(cache_size=1)]
    )
    before = mean + log_std.exp() * noise
    expected = transformed.log_prob(before.tanh()).sum(dim=1)
    torch.testing.assert_close(tanh_gaussian_log_prob(before, noise, log_std), expected, atol=1e-6, rtol=1e-6)


def test_the_log_probability_at_zero_is_the_normal_density() -> None:
    zero = torch.zeros(1, 3)
    assert tanh_gaussian_log_prob(zero, zero, zero).item() == pytest.approx(-1.5 * math.log(2 * math.pi))


def test_std_is_a_standard_deviation() -> None:
    actor = make_sac().actor
    for parameter in actor.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(actor.log_std.bias, math.log(0.2))
    noise = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    actions, _ = actor.sample(torch.zeros(20_000, actor.body[0].in_features), noise)
    assert actions.atanh().std().item() == pytest.approx(0.2, rel=0.02)


def test_the_ensemble_equals_its_members_one_by_one() -> None:
    ensemble = CriticEnsemble(10, 3, 4, SMALL)
    for parameter in ensemble.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    z, action = torch.randn(6, 10), torch.randn(6, 3)
    together = ensemble(z, action)
    for member in range(4):
        hidden = torch.cat([z, action], dim=1)
        for layer in range(0, 6, 3):
            linear, norm = ensemble.layers[layer], ensemble.layers[layer + 1]
            hidden = hidden @ linear.weight[member] + linear.bias[member]
            hidden = torch.nn.functional.layer_norm(
                hidden, hidden.shape[1:], norm.weight[member, 0], norm.bias[member, 0]
            )
            hidden = torch.nn.functional.silu(hidden)
        alone = hidden @ ensemble.layers[6].weight[member] + ensemble.layers[6].bias[member]
        torch.testing.assert_close(together[member], alone.squeeze(1), atol=1e-5, rtol=1e-5)


def fix_next_values(sac: SAC, monkeypatch: pytest.MonkeyPatch, values: list[float], log_prob: float) -> None:
    """Targets see critics that say `values` and a policy whose action has `log_prob`."""

    def target_critics(z: Tensor, action: Tensor) -> Tensor:
        return torch.tensor(values)[:, None].expand(-1, len(z))

    def sample(z: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(z), 3), torch.full((len(z),), log_prob)

    monkeypatch.setattr(sac.target_critics, "forward", target_critics)
    monkeypatch.setattr(sac.actor, "sample", sample)


def test_only_termination_stops_the_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    sac = make_sac(discount=0.5)
    fix_next_values(sac, monkeypatch, [4.0, 2.0], log_prob=-3.0)
    batch = make_batch(4)
    targets = sac.critic_targets(batch, torch.zeros(4, sac.encoder.out_dim), sac.draw(4, False))
    assert targets.tolist() == [0 + 1, 1, 2 + 1, 3]


def test_the_backup_entropy_adds_minus_alpha_log_pi(monkeypatch: pytest.MonkeyPatch) -> None:
    sac = make_sac(discount=0.5, use_backup_entropy=True, temperature_init=0.1)
    fix_next_values(sac, monkeypatch, [4.0, 2.0], log_prob=-3.0)
    targets = sac.critic_targets(make_batch(1), torch.zeros(1, sac.encoder.out_dim), sac.draw(1, False))
    assert targets.item() == pytest.approx(0.5 * (2.0 + 0.3))


def test_a_random_subset_of_the_ensemble_makes_the_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    sac = make_sac(discount=1.0, num_critics=3, num_subsample_critics=1)
    fix_next_values(sac, monkeypatch, [1.0, 2.0, 3.0], log_prob=0.0)
    z = torch.zeros(1, sac.encoder.out_dim)
    drawn = [sac.critic_targets(make_batch(1), z, sac.draw(1, False)) for _ in range(50)]
    assert {targets.item() for targets in drawn} == {1.0, 2.0, 3.0}


def test_gripper_targets_are_double_dqn_with_the_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    sac = make_sac(discount=0.5)
    gripper, online, target = sac.gripper, torch.tensor([[0.0, 1.0, 5.0]]), torch.tensor([[9.0, 9.0, 2.0]])
    monkeypatch.setattr(gripper.critic, "forward", lambda z: online.expand(len(z), -1))
    monkeypatch.setattr(gripper.target, "forward", lambda z: target.expand(len(z), -1))
    targets = gripper.targets(make_batch(2), torch.zeros(2, sac.encoder.out_dim))
    assert targets.tolist() == [0 - 0.25 + 0.5 * 2.0, 1 - 0.25]


@pytest.mark.parametrize("with_actor", [False, True])
def test_the_penalty_changes_the_gripper_critics_loss_and_nothing_else(with_actor: bool) -> None:
    """In every update of a step, with and without the actor's; a sum of gradients is what both share."""
    penalised = make_batch()
    free = replace(penalised, discrete_penalty=torch.zeros(8))
    one, other = (make_sac(grad_clip_norm=1e9) for _ in range(2))
    z = torch.zeros(8, one.encoder.out_dim)
    shift = one.gripper.targets(penalised, z) - one.gripper.targets(free, z)
    torch.testing.assert_close(shift, penalised.discrete_penalty)

    metrics = one.update(penalised, with_actor=with_actor), other.update(free, with_actor=with_actor)
    differing = {name for name in metrics[0] if metrics[0][name] != metrics[1][name]}
    assert differing == {"gripper_loss", "critic_grad_norm"}


def test_the_critic_loss_is_summed_over_members_and_averaged_over_rows() -> None:
    sac, batch = make_sac(), make_batch()
    q, targets = sac.critics(sac.encoder(batch.observation), batch.motion), torch.ones(8)
    loss = sac.critic_loss(q, targets)
    assert loss.item() == pytest.approx(
        sum(((q[j] - targets) ** 2).mean().item() for j in range(2)), rel=1e-5
    )


@pytest.mark.parametrize(("log_prob", "falls"), [(-9.0, True), (9.0, False)])
def test_temperature_falls_while_entropy_is_above_its_target(log_prob: float, falls: bool) -> None:
    sac = make_sac(target_entropy=-2.0)
    before = sac.temperature.item()
    sac.descent.down(sac.temperature_loss(torch.full((4,), log_prob)), "temperature")
    assert (sac.temperature.item() < before) == falls


def test_the_actor_loss_leaves_encoder_and_critics_alone() -> None:
    sac, batch = make_sac(), make_batch()
    z = sac.encoder(batch.observation).detach()
    sac.actor_loss(z, torch.randn(8, 3))[0].backward()
    assert all(parameter.grad is not None for parameter in sac.actor.parameters())
    untouched = [*sac.encoder.parameters(), *sac.critics.parameters(), *sac.gripper.critic.parameters()]
    assert all(parameter.grad is None and parameter.requires_grad for parameter in untouched)


def test_targets_follow_by_the_update_weight() -> None:
    sac = make_sac(critic_target_update_weight=0.25)
    with torch.no_grad():
        sac.critics.layers[0].bias.fill_(4.0)
        sac.target_critics.layers[0].bias.fill_(0.0)
    sac.update_targets()
    assert sac.target_critics.layers[0].bias.unique().item() == pytest.approx(1.0)


def test_each_picture_is_encoded_once_per_update(monkeypatch: pytest.MonkeyPatch) -> None:
    sac, batch = make_sac(bc_weight=0.5, bc_q_filter=True), make_batch()
    rows: list[int] = []
    forward = sac.encoder.backbone.forward
    monkeypatch.setattr(
        sac.encoder.backbone, "forward", lambda images: (rows.append(len(images)), forward(images))[1]
    )
    sac.update(batch)
    assert rows == [16, 16]


def test_the_margin_loss_asks_for_a_lead_of_the_demonstrated_command() -> None:
    q = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    loss = gripper_margin_loss(q, torch.tensor([0, 1]), torch.tensor([1.0, 1.0]), margin=0.1)
    assert loss.item() == pytest.approx((0.0 + 1.1) / 2)


def test_only_demonstrations_better_than_the_policy_are_imitated(monkeypatch: pytest.MonkeyPatch) -> None:
    sac, batch = make_sac(bc_weight=0.5, bc_q_filter=True), make_batch(8)
    z = sac.encoder(batch.observation).detach()
    values = iter([torch.zeros(2, 8), torch.tensor([[-1.0, 1.0] * 4, [2.0] * 8])])  # policy, demonstration
    monkeypatch.setattr(sac.critics, "forward", lambda z, action: next(values))
    preferred = preferred_demonstrations(sac.actor, sac.critics, z, batch)
    assert preferred.tolist() == [0, 0, 0, 0, 0, 1, 0, 1]


def test_the_cloning_weight_decays_to_nothing() -> None:
    sac = make_sac(bc_weight=0.4, bc_decay_updates=4)
    weights = []
    for _ in range(6):
        weights.append(sac.bc_weight())
        sac.update(make_batch())
    assert weights == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0, 0.0])


def test_pretraining_clones_the_offline_rows() -> None:
    sac, batch = make_sac(actor_lr=3e-3, critic_lr=3e-3), make_batch()
    for _ in range(150):
        sac.pretrain(batch)
    with torch.no_grad():
        z = sac.encoder(batch.observation)
        error = (sac.actor(z)[0].tanh() - batch.action[:, :3]).abs().mean(dim=1)
        commands = sac.gripper.critic(z).argmax(dim=1)
    assert error[4:].max() < 0.1
    assert error[:4].mean() > 0.2
    assert commands[4:].tolist() == batch.action[4:, 3].tolist()


def test_the_same_seed_gives_the_same_updates() -> None:
    first, second = make_sac(seed=3), make_sac(seed=3)
    for seed in range(3):
        one, two = first.update(make_batch(seed=seed)), second.update(make_batch(seed=seed))
        assert {name: value.item() for name, value in one.items()} == {
            name: value.item() for name, value in two.items()
        }


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_a_toy_reach_is_learned_from_pictures(fusion: str) -> None:
    """A bright column says where to go along x: sac must move right when it is left, and left when right."""
    policy = PolicyConfig(
        input_downsample=1, image_encoder_hidden_dim=8, latent_dim=16, state_encoder_hidden_dim=64,
        camera_fusion=fusion,  # type: ignore[arg-type]
        actor_network_kwargs=SMALL, discrete_critic_network_kwargs=SMALL,
    )  # fmt: skip
    features = FeatureSpec(state_dim=3, cameras=("front",), height=16, width=16)
    algorithm = AlgorithmConfig(
        critic_network_kwargs=SMALL, discount=0.5, actor_lr=1e-3, critic_lr=1e-3, use_backup_entropy=False,
        critic_target_update_weight=0.01,
    )  # fmt: skip
    sac = SAC(features, policy, algorithm, seed=0)
    rng, replay = np.random.default_rng(0), Replay(features, 2000, 10)

    def look(side: int) -> np.ndarray:
        picture = np.zeros((1, 16, 16, 3), np.uint8)
        picture[0, :, 10 * side : 10 * side + 6] = 255
        return picture

    for episode in range(600):
        side = int(rng.integers(2))
        action = np.append(rng.uniform(-1, 1, 3), rng.integers(3)).astype(np.float32)
        reward = float(action[0] * (1 if side else -1) + 0.5 * (action[3] == 2 * side))
        state = np.zeros(3, np.float32)
        step = Step(
            episode=episode, step=0, state=state, images=look(side), action=action, reward=reward,
            terminated=True, truncated=False,
        )  # fmt: skip
        replay.add(step)
        replay.add(EpisodeEnd(episode=episode, outcome=Outcome.SUCCESS, state=state, images=look(side)))
    for _ in range(250):
        sac.update(replay.sample(64, 1.0, rng, 1))
    pictures = torch.from_numpy(np.stack([look(0), look(1)]))
    with torch.no_grad():
        z = sac.encoder(Observation(torch.zeros(2, 3), pictures))
        motion, command = sac.actor(z)[0].tanh()[:, 0], sac.gripper.critic(z).argmax(dim=1)
    assert motion[0] < -0.6
    assert motion[1] > 0.6
    assert command.tolist() == [0, 2]


def test_a_gradient_that_is_not_finite_is_counted_and_not_stepped_along() -> None:
    sac = make_sac()
    sac.update(make_batch())
    before = {name: tensor.clone() for name, tensor in sac.actor.state_dict().items()}
    poisoned = make_batch()
    poisoned.observation.state[0, 0] = float("nan")
    metrics = sac.update(poisoned)
    assert (metrics["skipped_updates"], metrics["skipped_in_a_row"]) == (1, 1)
    assert sac.update(poisoned)["skipped_in_a_row"] == 2
    assert all(torch.equal(tensor, before[name]) for name, tensor in sac.actor.state_dict().items())
    metrics = sac.update(make_batch(seed=1))
    assert (metrics["skipped_updates"], metrics["skipped_in_a_row"]) == (2, 0)
    assert not torch.equal(sac.actor.mean.weight, before["mean.weight"])
