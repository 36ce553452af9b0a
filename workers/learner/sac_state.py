"""What leaves a SAC and comes back: everything for an exact resume, or just what acting needs."""

from collections.abc import Mapping

import torch
from torch import Tensor

from workers.learner.optimiser_state import (
    check_optimiser_tensor,
    load_optimiser_tensors,
    optimiser_tensors,
)
from workers.learner.sac import ACTING, SAC

BACKBONE = "encoder.backbone."
AVERAGE = "average."
"""Before the names of what acts, where that is an average."""


def state_tensors(sac: SAC) -> dict[str, Tensor]:
    """CPU copies of everything a bit-exact resume needs; the generator's state is among them."""
    named = _network_tensors(sac)
    named["log_temperature"] = sac.log_temperature
    named |= _averages(sac) | optimiser_tensors(sac.optimisers)
    copies = {name: _copy(tensor) for name, tensor in named.items()}
    copies["generator"] = sac.generator.get_state()
    copies["updates"] = torch.tensor([sac.critic_updates, sac.actor_updates])
    return copies


def check_state_tensors(sac: SAC, tensors: Mapping[str, Tensor]) -> None:
    """Raises ValueError naming the first of `tensors` that `sac` cannot take over, or lacks."""
    expected = _network_tensors(sac) | {
        "log_temperature": sac.log_temperature,
        "generator": sac.generator.get_state(),
        "updates": torch.zeros(2, dtype=torch.int64),
    }
    missing = expected.keys() - tensors.keys()
    if missing:
        raise ValueError(f"{min(missing)} is missing")
    expected |= {AVERAGE + name: parameter for name, parameter in sac.acting_parameters().items()}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            check_optimiser_tensor(sac.optimisers, name, tensor)
        elif name not in expected:
            raise ValueError(f"{name} is not part of these networks")
        elif tensor.dtype != expected[name].dtype:
            raise ValueError(f"{name} has {tensor.dtype} instead of {expected[name].dtype}")
        elif (
            name != "generator" and tensor.shape != expected[name].shape
        ):  # devices differ in the generator's
            raise ValueError(f"{name} has shape {[*tensor.shape]} instead of {[*expected[name].shape]}")


def load_state_tensors(sac: SAC, tensors: Mapping[str, Tensor]) -> None:
    """Become what `state_tensors` was taken from. Raises KeyError or RuntimeError on a misfit.

    Generators of different kinds of device do not understand each other's state: a run that moves, from
    processor to GPU say, goes on with fresh noise, drawn from its seed and the updates done. An average begins with
    the newest weights where none was kept, and one that was kept goes where none is asked for.
    """
    for net, module in sac.networks.items():
        prefix = f"{net}."
        own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        module.load_state_dict(own)
    if sac.encoder.packed is not None:
        sac.encoder.pack()
        sac.forget_graphs()
    with torch.no_grad():
        sac.log_temperature.copy_(tensors["log_temperature"])
        for name, average in _averages(sac).items():
            average.copy_(tensors.get(name, tensors[name.removeprefix(AVERAGE)]))
    load_optimiser_tensors(sac.optimisers, tensors)
    sac.critic_updates, sac.actor_updates = tensors["updates"].tolist()
    if tensors["generator"].shape == sac.generator.get_state().shape:
        sac.generator.set_state(tensors["generator"])
    else:
        sac.generator.manual_seed(sac.generator.initial_seed() + sac.critic_updates)


def policy_tensors(sac: SAC, include_frozen: bool = True) -> dict[str, Tensor]:
    """CPU copies of what acting needs: encoder, actor, gripper critic; names as `Policy.load` takes them.

    A frozen backbone never changes: after the first time it can be left out.
    """
    left_out = () if include_frozen or sac.encoder.backbone_trained else (BACKBONE,)
    acting = acting_tensors(_network_tensors(sac) | _averages(sac))
    return {name: _copy(tensor) for name, tensor in acting.items() if not name.startswith(left_out)}


def acting_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The policy among `tensors` with names as `state_tensors` gives them, averages in place of what learns."""
    acting = {name: tensor for name, tensor in tensors.items() if name.split(".", 1)[0] in ACTING}
    averages = {
        name.removeprefix(AVERAGE): tensor for name, tensor in tensors.items() if name.startswith(AVERAGE)
    }
    return acting | averages


def frozen_tensors(sac: SAC) -> dict[str, Tensor]:
    """CPU copies of what `policy_tensors(sac, include_frozen=False)` leaves out; often nothing."""
    if sac.encoder.backbone_trained:
        return {}
    named = _network_tensors(sac)
    return {name: _copy(tensor) for name, tensor in named.items() if name.startswith(BACKBONE)}


def _network_tensors(sac: SAC) -> dict[str, Tensor]:
    """`<network>.<name in its state dict>` -> tensor."""
    return {
        f"{net}.{key}": tensor
        for net, module in sac.networks.items()
        for key, tensor in module.state_dict().items()
    }


def _averages(sac: SAC) -> dict[str, Tensor]:
    return {} if sac.average is None else {AVERAGE + name: one for name, one in sac.average.tensors.items()}


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()
