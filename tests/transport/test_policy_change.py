"""A change of a policy takes a quarter of its bytes, comes close, and what it leaves is made up for by the next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from workers.transport.policy_change import NoChange, change, changed

RNG = np.random.default_rng(0)


def policy(scale: float = 0.05) -> dict[str, np.ndarray]:
    return {
        "encoder.weight": RNG.normal(0.0, scale, (64, 3, 5, 5)).astype(np.float32),
        "actor.weight": RNG.normal(0.0, scale, (32, 256)).astype(np.float32),
        "actor.bias": RNG.normal(0.0, scale, 32).astype(np.float32),
        "scalar": np.array(0.3, np.float32),
        "counter": np.array([3], np.int64),
    }


def trained(tensors: dict[str, np.ndarray], step: float) -> dict[str, np.ndarray]:
    """The tensors after some training."""
    return {
        name: tensor + 1
        if tensor.dtype == np.int64
        else np.asarray(tensor + RNG.normal(0.0, step, tensor.shape), np.float32)
        for name, tensor in tensors.items()
    }


def test_a_change_takes_about_a_quarter_of_the_bytes() -> None:
    first = policy()
    base, new = save(first), save(trained(first, 1e-3))
    assert len(change(base, new)) < 0.32 * len(new)


def test_a_change_comes_within_half_a_step_of_the_policy() -> None:
    first = policy()
    second = trained(first, 1e-3)
    there = load(changed(save(first), change(save(first), save(second))))
    assert there["counter"] == second["counter"]
    for name in ("encoder.weight", "actor.weight"):
        rows = np.abs(second[name] - first[name]).reshape(len(first[name]), -1).max(axis=1)
        missed = np.abs(there[name] - second[name]).reshape(len(first[name]), -1).max(axis=1)
        assert (missed <= rows / 127 / 2 + 1e-7).all()


def test_errors_do_not_add_up_over_many_changes() -> None:
    true = policy()
    there = save(true)
    for _ in range(300):
        true = trained(true, 1e-3)
        there = changed(there, change(there, save(true)))
    for name, tensor in load(there).items():
        assert np.abs(tensor - true[name]).max() < 5e-5, name


def test_a_policy_that_did_not_change_stays_as_it_is() -> None:
    data = save(policy())
    assert load(changed(data, change(data, data))).keys() == load(data).keys()
    assert changed(data, change(data, data)) == data


@pytest.mark.parametrize("drop", ["actor.bias", "counter"])
def test_another_network_has_no_change(drop: str) -> None:
    first = policy()
    other = {name: tensor for name, tensor in first.items() if name != drop}
    with pytest.raises(NoChange):
        change(save(first), save(other))
    with pytest.raises(NoChange):
        changed(save(other), change(save(first), save(trained(first, 1e-3))))


def test_nan_has_no_change() -> None:
    first = policy()
    second = trained(first, 1e-3)
    second["actor.bias"][3] = np.nan
    with pytest.raises(NoChange):
        change(save(first), save(second))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 10_000), st.integers(0, 255))
def test_what_is_no_change_is_refused_and_nothing_else(noise: bytes, place: int, flip: int) -> None:
    first = policy()
    good = bytearray(change(save(first), save(trained(first, 1e-3))))
    good[place % len(good)] ^= flip
    for data in (noise, bytes(good), bytes(good[: place % len(good)])):
        try:
            made = load(changed(save(first), data))
        except NoChange:
            continue
        assert {name: tensor.shape for name, tensor in made.items()} == {
            name: tensor.shape for name, tensor in first.items()
        }
