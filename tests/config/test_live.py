"""Settings that may change while a run goes on: which they are, what differs, and a configuration with others."""

import msgspec
import pytest

from workers.config import Config, load
from workers.config.keys import schema_keys
from workers.config.lines import dotted
from workers.config.live import OWNERS, applied, changed, differences, values_of
from workers.config.load import parse
from workers.config.ready import ready_config
from workers.learner.settings_hash import FREE_ALGORITHM_KEYS, FREE_POLICY_KEYS

CONFIG = load(ready_config())
TEXT = ready_config().read_text()


def edited(*pairs: tuple[str, str]) -> Config:
    text = TEXT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return parse(text)


def test_every_key_that_may_change_is_in_the_schema() -> None:
    assert set(OWNERS) <= {dotted(key.path) for key in schema_keys() if key.section is None}


def test_what_may_change_of_policy_and_algorithm_keeps_no_run_from_being_resumed() -> None:
    for key in OWNERS:
        section, name = key.split(".")[:2]
        if section in ("policy", "algorithm"):
            assert name in FREE_POLICY_KEYS | FREE_ALGORITHM_KEYS, key


def test_a_difference_names_both_values_and_who_has_it() -> None:
    new = edited(("gripper_penalty = -0.02", "gripper_penalty = -0.05"), ("seed = 1000", "seed = 7"))
    penalty, seed = differences(CONFIG, new)
    assert (penalty.key, penalty.before, penalty.after) == (
        "env.processor.gripper.gripper_penalty",
        "-0.02",
        "-0.05",
    )
    assert penalty.owners == ("actor",)
    assert (seed.key, seed.owners) == ("run.seed", ())
    assert "started again" in seed.why


def test_an_unchanged_file_has_no_difference() -> None:
    assert differences(CONFIG, parse(TEXT + "\n# a comment\n")) == []


def test_a_table_that_the_run_does_not_have_cannot_come_in() -> None:
    table = '[env.processor.reward_classifier]\npretrained_path = "simulated"\nsuccess_threshold = 0.7\n'
    found = differences(CONFIG, parse(f"{TEXT}\n{table}"))
    assert "env.processor.reward_classifier.success_threshold" in {one.key for one in found}
    assert all(one.owners == () and one.why for one in found)


@pytest.mark.parametrize("where", ["elsewhere", "nowhere"])
def test_learner_settings_stay_where_no_learner_is(where: str) -> None:
    link = msgspec.structs.replace(CONFIG.policy.actor_learner_config, learner_host="gpu")
    running = (
        msgspec.structs.replace(
            CONFIG, policy=msgspec.structs.replace(CONFIG.policy, actor_learner_config=link)
        )
        if where == "elsewhere"
        else msgspec.structs.replace(CONFIG, mode="record")
    )
    wanted = changed(running, {"algorithm.utd_ratio": 7})
    (found,) = differences(running, wanted)
    assert found.owners == ()
    assert ("gpu" if where == "elsewhere" else "nothing learns") in found.why


def test_changed_takes_exactly_the_values_given() -> None:
    new = changed(CONFIG, {"algorithm.utd_ratio": 5, "env.processor.reset.control_time_s": 9.0})
    assert new.algorithm.utd_ratio == 5
    assert new.env.processor.reset.control_time_s == 9.0
    assert {one.key for one in differences(CONFIG, new)} == {
        "algorithm.utd_ratio",
        "env.processor.reset.control_time_s",
    }
    assert values_of(new, ["algorithm.utd_ratio"]) == {"algorithm.utd_ratio": 5}


def test_the_log_names_what_really_changes() -> None:
    values = {"algorithm.utd_ratio": 9, "algorithm.log_freq": CONFIG.algorithm.log_freq}
    told: list[str] = []
    assert applied(CONFIG, values, told.append) == changed(CONFIG, values)
    assert told == [f"algorithm.utd_ratio is 9 now, it was {CONFIG.algorithm.utd_ratio}"]
