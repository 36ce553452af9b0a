"""What a GPU does differently gives what a CPU does; the parts that need one skip where there is none."""

import numpy as np
import pytest
import torch

from tests.learner.test_sac import make_batch, make_sac
from workers.learner.backbones import bytes_to_float, halved, halved_in_integers
from workers.learner.sac_state import state_tensors
from workers.learner.staging import DEPTH, Staging

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@pytest.mark.parametrize("shape", [(128, 128), (65, 47), (2, 2)])
def test_pictures_are_halved_alike_in_bytes_and_in_integers(shape: tuple[int, int]) -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, *shape, 3), dtype=np.uint8))
    assert torch.equal(bytes_to_float(halved_in_integers(images)), halved(images))


def test_numbers_that_were_sent_stay_while_their_place_is_filled_again() -> None:
    staging = Staging((2,), torch.float32, torch.device("cpu"))
    sent = []
    for number in range(2 * DEPTH):
        staging.place()[:] = number
        sent.append(staging.send())
    assert [values.tolist() for values in sent] == [[number, number] for number in range(2 * DEPTH)]


@needs_gpu
def test_a_recorded_update_is_the_update_itself() -> None:
    graphed, eager = (make_sac(bc_weight=0.4, bc_decay_updates=30, device="cuda") for _ in range(2))
    eager._graphed = None
    for number in range(20):
        for sac in (graphed, eager):
            sac.update(make_batch(), with_actor=number % 2 == 1)
    assert graphed._graphed is not None
    assert len(graphed._graphed._graphs) == 2
    one, other = state_tensors(graphed), state_tensors(eager)
    for name in other:
        torch.testing.assert_close(one[name], other[name], rtol=1e-4, atol=1e-5)


@needs_gpu
def test_an_encoder_halves_pictures_on_a_gpu_as_on_a_cpu() -> None:
    images = torch.randint(0, 256, (4, 64, 48, 3), dtype=torch.uint8)
    assert torch.equal(halved(images.cuda()).cpu(), halved(images))
