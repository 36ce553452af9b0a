"""SAC with RLPD on pictures: the algorithm, one method per equation.

Motion is SAC (Haarnoja et al. 2018) with an ensemble of LayerNorm critics (RLPD, Ball et al. 2023); a
gripper, where there is one, is learned beside it (`gripper.py`); the picture encoder is trained by the critics
alone and, as in DrQ-v2 (Yarats et al. 2021), has no target copy. Each picture of a batch is encoded once per
update. Several processes, each with its shard of a larger batch, make the update of one (`sharding.py`).
"""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.batch import Batch, joined
from workers.learner.descent import Descent
from workers.learner.encoders import ObservationEncoder
from workers.learner.flat_adam import PIECE, side_by_side
from workers.learner.graphs import Graphed, Metrics
from workers.learner.gripper import GripperDQN
from workers.learner.imitation import actor_imitation_loss, preferred_demonstrations
from workers.learner.networks import Actor, CriticEnsemble, held, slow_copy
from workers.learner.policy_average import PolicyAverage
from workers.learner.sharding import ALONE, Shard
from workers.learner.streams import URGENT, Fork
from workers.learner.tried import Tried, mean_of
from workers.transport.record import FeatureSpec

ACTING = ("encoder", "actor", "gripper")
"""Networks that a policy consists of."""


class Chance(NamedTuple):
    """What chance decides in an update, drawn before it: what is compiled or recorded draws nothing."""

    next_noise: Tensor
    """Standard normal [B, motion_dim], of the motions in the next states."""
    subset: Tensor | None
    """Members of the ensemble that make the targets, int64 [num_subsample_critics]; None for all."""
    noise: Tensor | None
    """As `next_noise`, of the motions in the states themselves; None in an update without the actor's."""


class _Values(NamedTuple):
    """What the networks that the critic loss trains say of a batch."""

    z: Tensor
    """[B, Z]"""
    q: Tensor
    """Of the executed motions, [N, B]."""
    gripper_q: Tensor | None
    """Of every command, [B, 3]; None without a gripper."""


class SAC:
    """Networks, targets, temperature and their optimisers. Same seed, same batches: same result on CPU."""

    def __init__(
        self,
        features: FeatureSpec,
        policy: PolicyConfig,
        algorithm: AlgorithmConfig,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        pretrained: bool = True,
        shard: Shard = ALONE,
    ) -> None:
        self.algorithm = algorithm
        self.shard = shard
        self.device = torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._build_networks(features, policy, pretrained)
        temperature = torch.tensor(algorithm.temperature_init, device=self.device)
        self.log_temperature = temperature.log().requires_grad_()
        target = algorithm.target_entropy
        self.target_entropy = -features.action_dim / 2 if target is None else target
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.optimisers = self._build_optimisers()
        self.descent = Descent(self.optimisers, algorithm.grad_clip_norm, shard, self.device)
        self._slow, self._fast = self._critic_parameters("target_"), self._critic_parameters()
        if policy.compiles:
            self._compile()
        self._held_critics = held(self.critics)
        weight = algorithm.policy_average_weight
        self.average = PolicyAverage(self.acting_parameters(), weight) if weight < 1 else None
        self.critic_updates = 0
        self.actor_updates = 0
        self._bc_weight = torch.zeros((), device=self.device)
        on_gpu = self.device.type == "cuda" and shard.world == 1  # what ranks tell each other is not recorded
        self._beside = Fork(self.device, URGENT)
        self._graphed = Graphed(self._update, self.device, self.generator, URGENT) if on_gpu else None
        self._maps: dict[int, Tensor] = {}
        """What the pictures of batches were encoded to, by the place of these."""
        self._graphed_encoding = Graphed(self._encoded, self.device) if on_gpu else None

    def _build_networks(self, features: FeatureSpec, policy: PolicyConfig, pretrained: bool) -> None:
        self.encoder = ObservationEncoder(features, policy, pretrained)
        z_dim, motion_dim = self.encoder.out_dim, features.motion_dim
        self.actor = Actor(z_dim, motion_dim, policy)
        members, hidden = self.algorithm.num_critics, self.algorithm.critic_network_kwargs
        self.critics = CriticEnsemble(z_dim, motion_dim, members, hidden)
        self.target_critics = slow_copy(self.critics)
        gripper = GripperDQN(z_dim, policy, self.algorithm, self.shard) if features.gripper else None
        self.gripper = gripper
        self.networks: dict[str, nn.Module] = {
            "encoder": self.encoder,
            "actor": self.actor,
            "critics": self.critics,
            "target_critics": self.target_critics,
        } | (self.gripper.networks() if self.gripper else {})
        """Every network by its name in checkpoints; `target_x` slowly follows `x`."""
        for network in self.networks.values():
            network.to(self.device)
        if self.device.type == "cuda":
            self.encoder.pack()

    def _build_optimisers(self) -> dict[str, torch.optim.Adam]:
        """One optimiser for all that the critic loss trains: the encoder must not be stepped twice."""
        learning = [*self.encoder.parameters(), *self._critic_parameters()]
        by_critic_loss = [parameter for parameter in learning if parameter.requires_grad]
        rates, on_gpu = self.algorithm, self.device.type == "cuda"
        adam = partial(torch.optim.Adam, fused=True, capturable=on_gpu)  # for the graphs of `graphs.py`
        return {
            "critic": adam(by_critic_loss, rates.critic_lr),
            "actor": adam(self.actor.parameters(), rates.actor_lr),
            "temperature": adam([self.log_temperature], rates.temperature_lr),
        }

    def _critic_parameters(self, prefix: str = "") -> list[Tensor]:
        """Parameters of all critics or, with the prefix `target_`, of their slow copies in the same order."""
        critics = [name.removeprefix("target_") for name in self.networks if name.startswith("target_")]
        return [parameter for name in critics for parameter in self.networks[prefix + name].parameters()]

    def acting_parameters(self) -> dict[str, Tensor]:
        """What a policy consists of and updates change, as `<network>.<name in it>`."""
        return {
            f"{name}.{key}": parameter
            for name in ACTING
            if name in self.networks
            for key, parameter in self.networks[name].named_parameters()
            if parameter.requires_grad
        }

    def _compile(self) -> None:
        """Losses with their gradients as a whole, and steps over all parameters at once."""
        torch._dynamo.config.suppress_errors = True  # what cannot be compiled runs as it is
        if not self.encoder.backbone_trained:
            self.encoder.backbone.compile()
        if self.shard.world == 1:  # what ranks tell each other on the way is not compiled
            for part in ("_values", "_targets", "_critic_objective", "_actor_objective"):
                setattr(self, part, torch.compile(getattr(self, part), dynamic=False))
        self.descent.flatten()
        slow = side_by_side(self._slow)
        fast = self.descent.flat["critic"].values[-len(slow) :]  # behind the encoder's
        self._slow, self._fast = list(torch.split(slow, PIECE)), list(torch.split(fast, PIECE))

    # The equations

    @property
    def temperature(self) -> Tensor:
        """alpha = exp(log alpha), scalar, without gradient."""
        return self.log_temperature.detach().exp()

    @torch.no_grad()
    def critic_targets(self, batch: Batch, next_z: Tensor, chance: Chance) -> Tensor:
        """y = r + gamma (1 - terminated) min_j Q'_j(s', a'), a' ~ pi(s'), [B].  RLPD, algorithm 1.

        The minimum is over a random subset of the ensemble if so set; the entropy bonus -alpha log pi(a'|s')
        joins it with `use_backup_entropy`. Truncation does not stop the bootstrap.
        """
        next_action, log_prob = self.actor.sample(next_z, chance.next_noise)
        next_q = self.target_critics(next_z, next_action)
        if chance.subset is not None:
            next_q = next_q[chance.subset]
        value: Tensor = next_q.amin(dim=0)
        if self.algorithm.use_backup_entropy:
            value = value - self.temperature * log_prob
        return batch.reward + self.algorithm.discount * (1 - batch.terminated) * value

    def critic_loss(self, q: Tensor, targets: Tensor) -> Tensor:
        """sum_j mean_b (Q_j(s, a) - y)^2 of values Q [N, B] and targets y [B]."""
        return torch.sum((q - targets).square().mean(dim=1))

    def actor_loss(self, z: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tried]:
        """mean_b (alpha log pi(a|s) - min_j Q_j(s, a)), a ~ pi(s); log pi(a|s) [B]; and what was tried.

        Gradients reach the actor only: z comes detached and the critics are held fixed here.
        """
        action, log_prob = self.actor.sample(z, noise)
        q = self._held_critics(z, action).amin(dim=0)
        tried = Tried(action.detach(), q.detach())
        return (self.temperature * log_prob - q).mean(), log_prob, tried

    def temperature_loss(self, log_prob: Tensor) -> Tensor:
        """-alpha mean_b (log pi(a|s) + target entropy): alpha falls while entropy is above its target."""
        return -self.log_temperature.exp() * (log_prob.detach() + self.target_entropy).mean()

    @torch.no_grad()
    def update_targets(self) -> None:
        """theta' <- theta' + tau (theta - theta') for all critics."""
        torch._foreach_lerp_(self._slow, self._fast, self.algorithm.critic_target_update_weight)

    def _follow(self) -> None:
        """What follows the networks that an update has changed."""
        self.update_targets()
        if self.average is not None:
            self.average.follow()

    # The updates

    def update(self, batch: Batch, *, with_actor: bool = True) -> Metrics:
        """One critic update and, with `with_actor`, one of actor and temperature on the same batch.

        Metrics are scalar tensors on the device; reading them is the caller's choice of moment.
        """
        batch = self.encoded(batch)
        self._bc_weight.fill_(self.bc_weight())
        metrics = (self._graphed or self._update)(batch, with_actor)
        self.critic_updates += 1
        self.actor_updates += with_actor
        return metrics

    def forget_graphs(self) -> None:
        """For whoever has put weights into other memory."""
        for graphed in (self._graphed, self._graphed_encoding):
            if graphed is not None:
                graphed.forget()

    def draw(self, rows: int, with_actor: bool) -> Chance:
        """What chance decides in an update on so many rows."""
        width = self.actor.mean.out_features
        next_noise, noise, subset = self.shard.randn(rows, width, self.generator), None, None
        if self.algorithm.num_subsample_critics is not None:
            order = torch.randperm(self.algorithm.num_critics, generator=self.generator, device=self.device)
            subset = order[: self.algorithm.num_subsample_critics]
        if with_actor:
            noise = self.shard.randn(rows, width, self.generator)
        return Chance(next_noise, subset, noise)

    def _update(self, batch: Batch, with_actor: bool) -> Metrics:
        """What a CUDA graph may record: nothing here but work of the device."""
        batch = batch.to(self.device)
        chance = self.draw(len(batch.reward), with_actor)
        self.descent.begin()
        with self._beside():
            targets = self._targets(batch, chance)
        values = self._values(batch)
        self._beside.join()
        loss, metrics = self._critic_objective(values, targets, batch)
        metrics["critic_grad_norm"] = self.descent.down(loss, "critic")
        if with_actor:
            loss, of_actor = self._actor_objective(values.z.detach(), batch, chance)
            metrics |= of_actor
            metrics["actor_grad_norm"] = self.descent.down(loss, "actor", "temperature")
            metrics["temperature"] = self.temperature
        self._follow()
        return metrics | self.descent.end()

    def encoded(self, batch: Batch) -> Batch:
        """`batch` with what a frozen backbone makes of its pictures in their place; without one as it is.

        An update does this first. Who does it before can do so beside the update that still runs (`streams.py`). On a
        GPU what comes out is overwritten by the next call but one.
        """
        encoder = self.encoder
        if encoder.backbone_trained or not encoder.heads or batch.observation.images.dtype != torch.uint8:
            return batch
        return (self._graphed_encoding or self._encoded)(batch, False)

    def _encoded(self, batch: Batch, _: bool = False) -> Batch:
        batch = batch.to(self.device)
        seen, following = batch.observation, batch.next_observation
        if self._graphed_encoding is None:
            maps, next_maps = self.encoder.features(seen.images), self.encoder.features(following.images)
        else:  # the more pictures at once, the better a GPU's processors are used
            both = self.encoder.features(joined(seen.images, following.images))
            place = batch.reward.data_ptr()
            if place not in self._maps:  # always the same, which updates are recorded to read
                self._maps[place] = torch.empty_like(both)
            maps, next_maps = self._maps[place].copy_(both).chunk(2)
        seen, following = replace(seen, images=maps), replace(following, images=next_maps)
        return replace(batch, observation=seen, next_observation=following)

    def _values(self, batch: Batch) -> _Values:
        z = self.encoder(batch.observation)
        gripper_q = None if self.gripper is None else self.gripper.critic(z)
        return _Values(z, self.critics(z, batch.motion), gripper_q)

    @torch.no_grad()
    def _targets(self, batch: Batch, chance: Chance) -> tuple[Tensor, Tensor | None]:
        """Of the critics and of the gripper critic, [B] each."""
        next_z = self.encoder(batch.next_observation)
        of_gripper = None if self.gripper is None else self.gripper.targets(batch, next_z)
        return self.critic_targets(batch, next_z, chance), of_gripper

    def _critic_objective(
        self, values: _Values, targets: tuple[Tensor, Tensor | None], batch: Batch
    ) -> tuple[Tensor, Metrics]:
        """The loss of encoder, critics and gripper critic, which are one optimiser's; and metrics."""
        q, gripper_q = values.q, values.gripper_q
        loss = self.critic_loss(q, targets[0])
        metrics = {"critic_loss": loss.detach(), "q_mean": q.detach().mean()}
        metrics["q_demonstrations"] = mean_of(q.detach().amin(dim=0), batch.offline, self.shard)
        metrics["rewarded"] = (batch.reward > 0).float().mean()
        if self.gripper is not None and gripper_q is not None and targets[1] is not None:
            gripper_loss = self.gripper.loss(gripper_q, batch, targets[1])
            loss = loss + gripper_loss
            metrics["gripper_loss"] = gripper_loss.detach()
            if self.algorithm.bc_weight:
                loss = loss + self._bc_weight * self.gripper.imitation_loss(gripper_q, batch)
        return loss, metrics

    def _actor_objective(self, z: Tensor, batch: Batch, chance: Chance) -> tuple[Tensor, Metrics]:
        """The losses of actor and temperature, which share no parameter, as one; and metrics."""
        assert chance.noise is not None
        loss, log_prob, tried = self.actor_loss(z, chance.noise)
        metrics = {"actor_loss": loss.detach()} | tried.metrics(batch.offline, self.shard)
        if self.algorithm.bc_weight:
            weights = batch.offline
            if self.algorithm.bc_q_filter:
                weights = preferred_demonstrations(self.actor, self._held_critics, z, batch)
            imitation = actor_imitation_loss(self.actor, z, batch.motion, weights, self.shard)
            loss = loss + self._bc_weight * imitation
            metrics["bc_loss"] = imitation.detach()
        temperature_loss = self.temperature_loss(log_prob)
        metrics["temperature_loss"] = temperature_loss.detach()
        metrics["entropy"] = -log_prob.detach().mean()
        return loss + temperature_loss, metrics

    def pretrain(self, batch: Batch) -> Metrics:
        """One behaviour-cloning update of encoder, actor and gripper critic on the offline rows."""
        batch = batch.to(self.device)
        z = self.encoder(batch.observation)
        loss = actor_imitation_loss(self.actor, z, batch.motion, batch.offline, self.shard)
        metrics = {"bc_loss": loss.detach()}
        if self.gripper is not None:
            margin = self.gripper.imitation_loss(self.gripper.critic(z), batch)
            loss = loss + margin
            metrics["bc_gripper_loss"] = margin.detach()
        self.descent.down(loss, "critic", "actor")
        self._follow()
        return metrics

    def bc_weight(self) -> float:
        """Weight of the behaviour-cloning term now."""
        decay = self.algorithm.bc_decay_updates
        left = max(0.0, 1 - self.actor_updates / decay) if decay else 1.0
        return self.algorithm.bc_weight * left
