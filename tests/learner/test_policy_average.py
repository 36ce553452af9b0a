"""What acts is the average of what was learned, in updates and in cloning, and an option."""

import pytest
import torch

from tests.learner.test_sac import make_batch, make_sac
from workers.learner.sac import SAC
from workers.learner.sac_state import (
    check_state_tensors,
    load_state_tensors,
    policy_tensors,
    state_tensors,
)

WEIGHT = 0.25


def learned(sac: SAC) -> dict[str, torch.Tensor]:
    """The weights as the newest update left them."""
    return {name: tensor.detach().clone() for name, tensor in sac.acting_parameters().items()}


def test_what_acts_follows_each_update_by_its_weight() -> None:
    sac = make_sac(policy_average_weight=WEIGHT, bc_weight=0.3)
    average = learned(sac)
    for number in range(4):
        if number < 2:
            sac.pretrain(make_batch(seed=number))
        else:
            sac.update(make_batch(seed=number))
        average = {name: before + WEIGHT * (learned(sac)[name] - before) for name, before in average.items()}
    acts = policy_tensors(sac)
    for name, expected in average.items():
        torch.testing.assert_close(acts[name], expected)
    assert any(not torch.equal(acts[name], newest) for name, newest in learned(sac).items())


@pytest.mark.parametrize("weight", [1.0, WEIGHT])
def test_nothing_is_kept_twice_where_the_newest_acts(weight: float) -> None:
    sac = make_sac(policy_average_weight=weight)
    sac.update(make_batch())
    assert (sac.average is None) == (weight == 1.0)
    same = [torch.equal(policy_tensors(sac)[name], newest) for name, newest in learned(sac).items()]
    assert all(same) == (weight == 1.0)


def test_a_checkpoint_of_learned_weights_alone_begins_the_average_with_them() -> None:
    """As those of runs that had none, by their settings or of an earlier version."""
    before = make_sac(policy_average_weight=1.0)
    before.update(make_batch())
    tensors = state_tensors(before)
    sac = make_sac(policy_average_weight=WEIGHT, seed=5)
    check_state_tensors(sac, tensors)
    load_state_tensors(sac, tensors)
    for name, acting in policy_tensors(sac).items():
        assert torch.equal(acting, policy_tensors(before)[name])


def test_an_average_that_nobody_asks_for_any_more_is_left() -> None:
    before = make_sac(policy_average_weight=WEIGHT)
    before.update(make_batch())
    sac = make_sac(policy_average_weight=1.0, seed=5)
    check_state_tensors(sac, state_tensors(before))
    load_state_tensors(sac, state_tensors(before))
    for name, acting in policy_tensors(sac).items():
        assert torch.equal(acting, state_tensors(before)[name])
