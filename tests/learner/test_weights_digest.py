"""The digest by which people tell policies apart."""

import torch

from workers.learner.weights_digest import weights_digest

WEIGHTS = {"actor.bias": torch.tensor([1.0, -2.0]), "step": torch.tensor(3), "empty": torch.zeros(0, 4)}
DIGEST = "8780b164c6cf40fa709c6b32e8173d8afbe17da386b0048b099d8d72fa61017a"
"""Of names, types, shapes and bytes, put together by hand with hashlib and struct."""


def test_it_is_the_same_on_every_machine_and_for_ever() -> None:
    assert weights_digest(WEIGHTS) == DIGEST


def test_order_device_and_memory_layout_say_nothing() -> None:
    turned = dict(reversed(WEIGHTS.items()))
    assert weights_digest(turned) == DIGEST
    wide = torch.arange(12.0).reshape(3, 4)
    assert weights_digest({"w": wide}) == weights_digest({"w": wide.t().contiguous().t()})
    assert weights_digest({"w": torch.nn.Parameter(wide)}) == weights_digest({"w": wide})


def test_every_difference_shows() -> None:
    other = [
        WEIGHTS | {"actor.bias": torch.tensor([1.0, -2.0000002])},
        WEIGHTS | {"actor.bias": torch.tensor([1.0, -2.0], dtype=torch.float64)},
        WEIGHTS | {"actor.bias": torch.tensor([[1.0, -2.0]])},
        WEIGHTS | {"empty": torch.zeros(4, 0)},
        {name: WEIGHTS[name] for name in ("actor.bias", "step")},
        {("actor.weight" if name == "actor.bias" else name): tensor for name, tensor in WEIGHTS.items()},
    ]
    digests = {weights_digest(one) for one in other}
    assert len(digests) == len(other) and DIGEST not in digests
