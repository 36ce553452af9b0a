"""Adam's moments and step counts as named tensors, so that they fit into a safetensors file."""

from collections.abc import Mapping

import torch
from torch import Tensor

Optimisers = Mapping[str, torch.optim.Optimizer]


def optimiser_tensors(optimisers: Optimisers) -> dict[str, Tensor]:
    """`optimiser.<which>.<parameter number>.<quantity>` -> tensor; parameters never stepped have none, or zeros."""
    return {
        f"optimiser.{which}.{number}.{quantity}": tensor
        for which, optimiser in optimisers.items()
        for number, parameter in enumerate(_parameters(optimiser))
        for quantity, tensor in optimiser.state[parameter].items()
    }


def check_optimiser_tensor(optimisers: Optimisers, name: str, tensor: Tensor) -> None:
    """Raises ValueError when no parameter has a quantity of that name and shape."""
    match name.split("."):
        case ["optimiser", which, number, quantity] if which in optimisers and number.isdecimal():
            parameters = _parameters(optimisers[which])
        case _:
            raise ValueError(f"{name} is not part of these optimisers")
    if int(number) >= len(parameters):
        raise ValueError(f"{name} is not part of these optimisers")
    shape = torch.Size() if quantity == "step" else parameters[int(number)].shape
    if (tensor.shape, tensor.dtype) != (shape, torch.float32):
        raise ValueError(f"{name} has {tensor.dtype} {[*tensor.shape]} instead of {torch.float32} {[*shape]}")


def load_optimiser_tensors(optimisers: Optimisers, tensors: Mapping[str, Tensor]) -> None:
    """Take over what `optimiser_tensors` gave, forgetting any present state; other names are ignored.

    State that is there stays in its place, which a CUDA graph or a `FlatAdam` may count on.
    """
    parameters = {which: _parameters(optimiser) for which, optimiser in optimisers.items()}
    for optimiser in optimisers.values():
        for state in optimiser.state.values():
            for quantity in state.values():
                quantity.zero_()
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, which, number, quantity = name.split(".")
            parameter = parameters[which][int(number)]
            state = optimisers[which].state[parameter]
            if quantity not in state:
                # Laid out in memory as the parameter is: the fused step pairs them element by element.
                like = parameter if tensor.shape == parameter.shape else tensor
                state[quantity] = torch.empty_like(like, device=parameter.device, requires_grad=False)
            state[quantity].copy_(tensor)


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
