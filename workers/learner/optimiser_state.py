"""Adam's moments and step counts as named tensors, so that they fit into a safetensors file."""

from collections.abc import Mapping

import torch
from torch import Tensor

Optimisers = Mapping[str, torch.optim.Optimizer]


def optimiser_tensors(optimisers: Optimisers) -> dict[str, Tensor]:
    """`optimiser.<which>.<parameter number>.<quantity>` -> tensor; parameters never stepped have none."""
    return {
        f"optimiser.{which}.{number}.{quantity}": tensor
        for which, optimiser in optimisers.items()
        for number, parameter in enumerate(_parameters(optimiser))
        for quantity, tensor in optimiser.state[parameter].items()
    }


def load_optimiser_tensors(optimisers: Optimisers, tensors: Mapping[str, Tensor]) -> None:
    """Take over what `optimiser_tensors` gave, dropping any present state; other names are ignored."""
    parameters = {which: _parameters(optimiser) for which, optimiser in optimisers.items()}
    for optimiser in optimisers.values():
        optimiser.state.clear()
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, which, number, quantity = name.split(".")
            parameter = parameters[which][int(number)]
            # Laid out in memory as the parameter is: the fused step pairs them element by element.
            like = tensor.to(parameter.device, copy=True)
            if tensor.shape == parameter.shape:
                like = torch.empty_like(parameter).copy_(tensor)
            optimisers[which].state[parameter][quantity] = like


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
