"""Steps over all parameters at once are those of torch's Adam, and the memory they share stays whole."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from tests.learner.test_sac import make_batch, make_sac
from workers.learner.flat_adam import FlatAdam
from workers.learner.sac import SAC
from workers.learner.sac_state import load_state_tensors, state_tensors


@pytest.fixture(autouse=True)
def as_python() -> Iterator[None]:
    """What would be compiled runs as it is written: this is about its arithmetic."""
    with torch.compiler.set_stance("force_eager"):
        yield


def network() -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8, 4))
    return net.to(memory_format=torch.channels_last)


def learned(net: nn.Module, flat: bool, poison_at: int = -1) -> torch.optim.Adam:
    adam = torch.optim.Adam(net.parameters(), 1e-2, fused=True)
    together = FlatAdam(adam, clip_norm=0.5) if flat else None
    for number in range(6):
        adam.zero_grad()
        images = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(number))
        loss = net(images).square().sum() * (float("nan") if number == poison_at else 1.0)
        loss.backward()  # type: ignore[no-untyped-call]
        if together is not None:
            together.step()
        else:
            norm = nn.utils.clip_grad_norm_(list(net.parameters()), 0.5)
            adam.found_inf = 1 - norm.isfinite().float()  # type: ignore[attr-defined]
            adam.step()
    return adam


@pytest.mark.parametrize("poison_at", [-1, 3])
def test_steps_are_those_of_torchs_adam_and_none_follows_a_gradient_that_is_not_finite(
    poison_at: int,
) -> None:
    one, other = network(), network()
    flat, plain = learned(one, True, poison_at), learned(other, False, poison_at)
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-5)
        assert mine.stride() == theirs.stride()
        for quantity, tensor in plain.state[theirs].items():
            torch.testing.assert_close(flat.state[mine][quantity], tensor, atol=1e-7, rtol=1e-5)


def updated(sac: SAC, start: int, updates: int) -> dict[str, torch.Tensor]:
    for number in range(start, start + updates):
        sac.update(make_batch(seed=number), with_actor=number % 2 == 1)
    return state_tensors(sac)


def test_a_compiled_learner_learns_what_a_plain_one_does() -> None:
    """With cloning before, which reaches only some of the parameters; and as long as Q-filter and weights decay."""
    compiled, plain = (make_sac(bc_weight=0.3, bc_decay_updates=4, compiles=one) for one in (True, False))
    for sac in (compiled, plain):
        sac.pretrain(make_batch())
    one, other = updated(compiled, 0, 6), updated(plain, 0, 6)
    for name in other:
        torch.testing.assert_close(one[name], other[name], atol=1e-5, rtol=1e-4)


def test_a_compiled_learner_resumes_bit_for_bit_and_in_place() -> None:
    through, halfway, resumed = (make_sac(bc_weight=0.3, compiles=True) for _ in range(3))
    whole = updated(through, 0, 6)
    saved = updated(halfway, 0, 3)
    updated(resumed, 50, 2)  # it has learned something else, in the memory that it shares
    before = [
        parameter.data_ptr() for network in resumed.networks.values() for parameter in network.parameters()
    ]
    load_state_tensors(resumed, saved)
    after = [
        parameter.data_ptr() for network in resumed.networks.values() for parameter in network.parameters()
    ]
    assert before == after
    again = updated(resumed, 3, 3)
    assert all(torch.equal(again[name], whole[name]) for name in whole)
