"""A written configuration says the same as the one it came from, and explains itself."""

import math
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.config.generated import configs, texts
from workers.config import Config, load, parse
from workers.config.dump import WIDTH, dump, toml
from workers.config.keys import NAME, documentation, schema_keys

READY = sorted(Path("configs").glob("*.toml"))


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(configs())
def test_what_is_written_is_read_back_the_same(config: Config) -> None:
    event(config.env.type)
    event(f"crops: {bool(config.env.processor.image_preprocessing.crop_params_dict)}")
    assert parse(dump(config)) == config


@pytest.mark.parametrize("path", READY, ids=lambda path: path.name)
def test_ready_configurations_are_written_and_read_back(path: Path) -> None:
    assert parse(dump(load(path))) == load(path)


scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
everything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=6
)


@given(st.dictionaries(texts, everything))
def test_any_value_is_written_as_toml(table: dict[str, object]) -> None:
    assert tomllib.loads(f"it = {toml(table)}") == {"it": table}


@pytest.mark.parametrize("value", [None, object(), math])
def test_what_toml_has_no_word_for_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        toml(value)


def test_every_key_is_there_with_its_documentation() -> None:
    text = dump(load("configs/sim_pick_lift.toml"))
    words = " ".join(line.removeprefix("# ") for line in text.splitlines())
    for key in schema_keys():
        if NAME in key.path or "reward_classifier" in key.path[:-1]:
            continue
        assert key.documentation in words, key.path
        assert any(
            line.startswith(
                (f"{key.path[-1]} = ", f"# ({key.path[-1]} is not set)", f"[{'.'.join(key.path)}")
            )
            for line in text.splitlines()
        ), key.path


def test_lines_are_short_enough_to_read() -> None:
    text = dump(load("configs/sim_pick_lift.toml"), "An introduction " * 40)
    assert max(map(len, text.splitlines())) <= WIDTH


def test_an_introduction_is_a_comment_on_top() -> None:
    text = dump(load("configs/sim_pick_lift.toml"), "One line.\n\nAnother.")
    assert text.startswith("# One line.\n#\n# Another.\n\n# Version of")


def test_documentation_of_several_lines_becomes_one() -> None:
    from workers.config import ImagePreprocessingConfig

    told = documentation(ImagePreprocessingConfig)["resize_size"]
    assert "\n" not in told and "  " not in told and told.endswith(".")
