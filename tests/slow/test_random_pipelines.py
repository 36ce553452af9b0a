"""A hundred thousand random pipelines, about ten minutes."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.processors.random_pipelines import INPUTS, Inputs, configurations, run_one
from workers.config import Config


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(
    max_examples=100_000,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(config=configurations(), inputs=INPUTS)
def test_a_hundred_thousand_random_pipelines_raise_nothing_but_documented_errors(
    config: Config, inputs: Inputs
) -> None:
    run_one(config, inputs)
