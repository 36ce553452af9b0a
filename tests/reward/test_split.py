"""Which episodes are held out: of both kinds, the same in every training, never all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workers.reward.split import held_out, kind_of

KINDS = st.lists(st.booleans(), max_size=40)


def named(kinds: list[bool]) -> list[tuple[int, bool]]:
    return list(enumerate(kinds))


@given(KINDS, st.floats(0.01, 0.99), st.integers(0, 5))
def test_each_kind_has_episodes_on_both_sides_where_it_has_two(
    kinds: list[bool], share: float, seed: int
) -> None:
    kept = held_out(named(kinds), share, seed)
    for kind in (False, True):
        of = [number for number, success in enumerate(kinds) if success is kind]
        inside = [number for number in of if number in kept]
        if len(of) > 1:
            assert 1 <= len(inside) < len(of)
        else:
            assert not inside


def test_the_share_is_kept_of_each_kind() -> None:
    kept = held_out(named([True] * 40 + [False] * 20), 0.25, seed=0)
    assert sum(number < 40 for number in kept) == 10
    assert sum(number >= 40 for number in kept) == 5


def test_a_seed_splits_as_it_did_and_another_does_not() -> None:
    kinds = named([True, False] * 20)
    assert held_out(kinds, 0.25, 3) == held_out(kinds, 0.25, 3) != held_out(kinds, 0.25, 4)


def test_an_episode_in_which_success_is_lost_again_is_a_kind_of_its_own() -> None:
    kinds = {"0000": "never", "0011": "kept", "0110111": "kept", "01100000": "lost", "011000011": "lost"}
    assert {row: kind_of(np.array([mark == "1" for mark in row])) for row in kinds} == kinds


def test_the_only_episode_of_its_kind_is_learnt_from() -> None:
    episodes = [(number, "lost" if number == 7 else "kept") for number in range(20)]
    assert all(7 not in held_out(episodes, 0.25, seed) for seed in range(20))


def test_more_episodes_leave_most_of_the_others_on_their_side() -> None:
    before = held_out(named([True] * 40), 0.25, 0)
    after = held_out(named([True] * 44), 0.25, 0)
    assert len(before - after) <= 2
