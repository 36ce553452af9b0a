"""In which order trials are made, and from which starts."""

from workers.evaluation.schedule import schedule
from workers.model.evaluation import side_of


def test_a_single_policy_starts_everywhere_once() -> None:
    plans = schedule(5, 1, seed=3)
    assert [plan.number for plan in plans] == list(range(5)) and {plan.side for plan in plans} == {0}
    assert len({plan.seed for plan in plans}) == 5


def test_both_of_a_pair_have_the_same_start_and_the_order_turns() -> None:
    plans = schedule(3, 2, seed=3)
    assert [plan.side for plan in plans] == [0, 1, 1, 0, 0, 1]
    assert [plan.side for plan in plans] == [side_of(plan.number, 2) for plan in plans]
    assert [plan.seed for plan in plans[::2]] == [plan.seed for plan in plans[1::2]]
    assert len({plan.seed for plan in plans}) == 3


def test_every_plan_knows_where_the_next_one_begins() -> None:
    for sides in (1, 2):
        plans = schedule(3, sides, seed=0)
        assert [plan.seed_after for plan in plans] == [*(plan.seed for plan in plans[1:]), None]


def test_starts_come_from_the_seed_of_the_run() -> None:
    assert schedule(4, 2, seed=3) == schedule(4, 2, seed=3)
    assert [plan.seed for plan in schedule(4, 1, 3)] != [plan.seed for plan in schedule(4, 1, 4)]
    assert [plan.seed for plan in schedule(4, 1, 3)] == [plan.seed for plan in schedule(4, 2, 3)[::2]]
