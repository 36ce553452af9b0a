"""The mean of weights over steps, against the mean by hand."""

import pytest
import torch
from torch import nn

from workers.reward.averaging import AveragedWeights


def with_weight(value: float) -> nn.Linear:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


def test_of_weights_that_stay_the_mean_is_their_value() -> None:
    network = with_weight(2.0)
    mean = AveragedWeights(network)
    for _ in range(100):
        mean.follow()
    with mean.in_place():
        assert network.weight.item() == pytest.approx(2.0)


def test_weights_that_go_to_and_fro_rest_in_the_middle() -> None:
    network = with_weight(0.0)
    mean = AveragedWeights(network)
    for step in range(1000):
        nn.init.constant_(network.weight, 1.0 if step % 2 else 3.0)
        mean.follow()
    with mean.in_place():
        assert network.weight.item() == pytest.approx(2.0, abs=0.02)


def test_the_first_weights_of_all_are_forgotten() -> None:
    network = with_weight(1000.0)
    mean = AveragedWeights(network)
    nn.init.constant_(network.weight, 1.0)
    mean.follow()
    with mean.in_place():
        assert network.weight.item() == pytest.approx(1.0)


def test_afterwards_the_network_has_its_own_weights_again_whatever_happens() -> None:
    network = with_weight(0.0)
    mean = AveragedWeights(network)
    nn.init.constant_(network.weight, 4.0)
    with pytest.raises(RuntimeError), mean.in_place():
        raise RuntimeError
    assert network.weight.item() == 4.0


def test_frozen_weights_are_left_alone() -> None:
    network = nn.Sequential(with_weight(1.0), with_weight(1.0))
    network[0].requires_grad_(False)
    mean = AveragedWeights(network)
    with torch.no_grad():
        network[0].weight.fill_(7.0)
    mean.follow()
    with mean.in_place():
        assert network[0].weight.item() == 7.0
