"""What a GPU does differently gives what a CPU does; the parts that need one skip where there is none."""

import numpy as np
import pytest
import torch

from tests.learner.test_sac import make_batch, make_sac
from workers.learner.backbones import ResNet10, bytes_to_float, halved, halved_in_integers
from workers.learner.batch import Batch, joined
from workers.learner.graphs import Inputs
from workers.learner.packed import packed_on_gpu
from workers.learner.pictures import DevicePictures, HostPictures
from workers.learner.sac_state import state_tensors
from workers.learner.staging import DEPTH, Staging
from workers.transport.record import FeatureSpec

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


def test_batches_of_a_replay_are_read_where_they_are_and_others_copied_in_turn() -> None:
    inputs = Inputs(torch.device("cpu"))
    first, second, *others = (make_batch(seed=number) for number in range(4))
    for batch in (first, second, first, second):
        assert places(inputs.put(batch)) == places(batch)
    for kept, given in zip((first, second), others, strict=True):
        there = inputs.put(given)
        assert places(there) == places(kept)
        for tensor, wanted in zip(there.tensors(), given.tensors(), strict=True):
            assert torch.equal(tensor, wanted)


def test_halves_of_a_batch_are_joined_where_they_lie_and_others_copied() -> None:
    whole = torch.arange(24).view(6, 4)
    one, other = whole.chunk(2)
    assert joined(one, other).data_ptr() == whole.data_ptr()
    for pair in ((one, other), (other, one), (one, other.clone())):
        assert torch.equal(joined(*pair), torch.cat(pair))


def places(batch: Batch) -> list[int]:
    return [tensor.data_ptr() for tensor in batch.tensors()]


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


@needs_gpu
@pytest.mark.parametrize("shape", [(128, 128), (9, 7)])
def test_pictures_are_drawn_and_shifted_on_a_gpu_as_in_main_memory(shape: tuple[int, int]) -> None:
    features = FeatureSpec(state_dim=2, cameras=("front", "side"), height=shape[0], width=shape[1])
    rng = np.random.default_rng(0)
    host, device = HostPictures(features, 5), DevicePictures(features, 5, torch.device("cuda"))
    for slot in range(5):
        images = rng.integers(0, 256, features.image_shape, dtype=np.uint8)
        host.write(slot, images)
        device.write(slot, images)
    slots, shifts = rng.integers(0, 5, 40), rng.integers(-6, 7, (40, 2))
    assert device._shift_into is not None
    assert torch.equal(device.gather(slots, shifts).cpu(), host.gather(slots, shifts))


@needs_gpu
def test_a_replay_without_cameras_gives_batches_of_no_pictures() -> None:
    device = DevicePictures(FeatureSpec(state_dim=2, cameras=(), height=0, width=0), 5, torch.device("cuda"))
    assert device.gather(np.arange(4), np.zeros((4, 2), np.int64)).shape[0] == 4


@needs_gpu
@pytest.mark.parametrize("side", [64, 128, 256])
def test_a_resnet_10_laid_out_for_a_gpu_is_the_resnet_10(side: int) -> None:
    torch.manual_seed(0)
    backbone = ResNet10().requires_grad_(False).cuda()
    for module in backbone.modules():
        if isinstance(module, torch.nn.GroupNorm):  # scales of both signs: the norm follows pooling
            module.weight.normal_()
            module.bias.normal_(std=0.3)
    fast = packed_on_gpu(backbone, torch.bfloat16, (2, side, side, 3))
    assert fast is not None
    images = torch.randint(0, 256, (5, side, side, 3), dtype=torch.uint8, device="cuda")
    exact, once, again = backbone(images), fast(images).float(), fast(images).float()
    assert torch.equal(once, again)
    assert (once - exact).norm() < 0.02 * exact.norm()


@needs_gpu
def test_a_compiled_update_is_the_update_itself() -> None:
    compiled, eager = (
        make_sac(bc_weight=0.4, device="cuda", compiles=compiles) for compiles in (True, False)
    )
    for number in range(12):
        for sac in (compiled, eager):
            sac.update(make_batch(seed=number), with_actor=number % 2 == 1)
    one, other = state_tensors(compiled), state_tensors(eager)
    for name in other:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-4)
