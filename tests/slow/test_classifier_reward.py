"""The reward handed over: a policy that only ever heard from a classifier really does the task, and fools it seldom.

Judged by the simulator, which the classifier and the policy never ask. About ten minutes on one core.
"""

import pytest

from benchmarks import classifier_reward

TRUE_SUCCESS = 0.85
FALSE_SUCCESS = 0.02


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_policy_rewarded_by_the_classifier_alone_succeeds_by_the_simulators_word() -> None:
    found = classifier_reward.main(["--seed", "1"])
    assert found["true success of the last evaluation"] >= TRUE_SUCCESS
    assert found["false success, share of all episodes"] < FALSE_SUCCESS
    assert found["episodes"] >= 100, "too few to tell 2 % from none"
