"""What the policy tried is measured on the device, over the rows it is meant for."""

import torch

from workers.learner.sharding import ALONE
from workers.learner.tried import Tried, mean_of


def test_q_of_the_policy_is_over_demonstrated_states() -> None:
    tried = Tried(torch.zeros(4, 3), torch.tensor([9.0, 9.0, 1.0, 3.0]))
    assert tried.metrics(torch.tensor([0.0, 0.0, 1.0, 1.0]), ALONE)["q_policy"] == 2.0


def test_without_demonstrations_it_is_over_all() -> None:
    assert mean_of(torch.tensor([1.0, 3.0]), torch.zeros(2)) == 2.0


def test_saturation_is_the_share_of_components_at_the_end_of_their_range() -> None:
    motion = torch.tensor([[0.999, -0.999, 0.2], [0.5, 0.97, -0.1]])
    share = Tried(motion, torch.zeros(2)).metrics(torch.zeros(2), ALONE)["saturated"]
    assert abs(float(share) - 2 / 6) < 1e-6


def test_figures_stay_tensors_until_somebody_reads_them() -> None:
    for value in Tried(torch.zeros(2, 3), torch.zeros(2)).metrics(torch.ones(2), ALONE).values():
        assert isinstance(value, torch.Tensor) and value.shape == ()
