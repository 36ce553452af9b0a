"""A hundred thousand random pipelines, in four parts of about five minutes."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.processors.random_pipelines import INPUTS, Inputs, configurations, run_one
from workers.config import Config


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
@settings(
    max_examples=25_000,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(config=configurations(), inputs=INPUTS)
def test_a_hundred_thousand_random_pipelines_raise_nothing_but_documented_errors(
    part: int, config: Config, inputs: Inputs
) -> None:
    run_one(config, inputs)
