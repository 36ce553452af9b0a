"""The JSON Schema that editors get: what it accepts loads, what it refuses does not, and it is up to date."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.against_schema import faults
from tests.config.generated import configs
from workers.config import Config, ConfigError, parse
from workers.config.dump import dump
from workers.config.json_schema import json_schema, text
from workers.config.keys import documentation

READY = sorted(Path("configs").glob("*.toml"))
SCHEMA = json_schema()


def checked(table: dict[str, Any]) -> list[str]:
    return faults(SCHEMA, table, SCHEMA)


def test_the_file_for_editors_is_up_to_date() -> None:
    assert Path("configs/hilserl.schema.json").read_text() == text(), (
        "write it again: hilserl-tui config schema --output configs/hilserl.schema.json"
    )


@pytest.mark.parametrize("path", READY, ids=lambda path: path.name)
def test_ready_configurations_fit_and_refer_to_it(path: Path) -> None:
    written = path.read_text()
    assert written.startswith("#:schema ./hilserl.schema.json\n")
    assert checked(tomllib.loads(written)) == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(configs())
def test_every_configuration_that_loads_fits(config: Config) -> None:
    assert checked(tomllib.loads(dump(config))) == []


def leaves(table: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    found = []
    for name, value in table.items():
        found += leaves(value) if isinstance(value, dict) else [(table, name)]
    return found


ODD = [0, -1, 1e300, "", "x", [], [[1]], {"a": 1}, True, 3, 0.5, "cpu"]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_does_not_fit_does_not_load(data: st.DataObject) -> None:
    table = copy.deepcopy(tomllib.loads(READY[0].read_text()))
    inside, name = data.draw(st.sampled_from(leaves(table)))
    inside[data.draw(st.sampled_from([name, name + "s"]))] = data.draw(st.sampled_from(ODD))
    if checked(table):
        with pytest.raises(ConfigError):
            parse(toml_of(table))


def toml_of(table: dict[str, Any]) -> str:
    from workers.config.dump import toml

    return "\n".join(f"{name} = {toml(value)}" for name, value in table.items())


@pytest.mark.parametrize(
    ("section", "key"),
    [("AlgorithmConfig", "utd_ratio"), ("RewardClassifierConfig", "votes"), ("Config", "mode")],
)
def test_keys_have_their_documentation_and_default(section: str, key: str) -> None:
    import workers.config

    told = SCHEMA["$defs"][section]["properties"][key]
    assert told["description"] == documentation(getattr(workers.config, section))[key]
    assert ("default" in told) == (key != "mode")


def test_nothing_is_offered_that_toml_cannot_say() -> None:
    assert "null" not in text()
