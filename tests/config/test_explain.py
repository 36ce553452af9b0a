"""What `hilserl-tui config explain` says of keys, sections, names of LeRobot's, and words that are none."""

from pathlib import Path

import pytest

from workers.config.explain import NoSuchKey, explain
from workers.config.keys import NAME, schema_keys
from workers.config.lerobot import names
from workers.config.reference import text

OURS = {".".join(key.path) for key in schema_keys()}


@pytest.mark.parametrize("key", schema_keys(), ids=lambda key: ".".join(key.path))
def test_every_key_is_explained_by_its_path(key) -> None:
    path = ".".join(key.path).replace(NAME, "front")
    text = explain(path)
    assert text.startswith(".".join(key.path) + "\n")
    assert key.documentation.split()[0] in text
    if key.section is None:
        assert key.accepts in text
        assert "without   " in text
    else:
        assert "Its keys:" in text


def test_a_value_is_told_with_range_default_and_lerobots_names() -> None:
    assert explain("algorithm.utd_ratio") == (
        "algorithm.utd_ratio\n"
        "  Critic updates per environment step (update-to-data ratio) that the learner paces itself to.\n"
        "  accepts   a whole number (at least 1)\n"
        "  without   2\n"
        "  LeRobot   the same, policy.utd_ratio"
    )


def test_the_last_part_of_a_path_is_enough() -> None:
    assert explain("utd_ratio") == explain("algorithm.utd_ratio")
    assert explain("gripper.use_gripper") == explain("env.processor.gripper.use_gripper")


def test_a_name_in_several_places_is_told_for_each() -> None:
    text = explain("hidden_dims")
    assert '"hidden_dims" stands in 3 places' in text
    assert "policy.actor_network_kwargs.hidden_dims" in text
    assert "algorithm.critic_network_kwargs.hidden_dims" in text


def test_a_whole_path_counts_before_an_end_of_one_which_is_named() -> None:
    text = explain("device")
    assert text.startswith("device\n  Device of the actor")
    assert text.endswith("See also env.teleop.device, policy.device, reward_classifier.device.")


def test_a_section_lists_its_keys() -> None:
    text = explain("[env.processor.gripper]")
    assert [line.split()[0] for line in text.splitlines()[3:]] == [
        "use_gripper",
        "gripper_penalty",
        "closed_at",
    ]
    assert explain("env.robot.cameras.front") == explain("env.robot.cameras")


@pytest.mark.parametrize(("theirs", "ours"), names.TAKEN.items())
def test_every_name_of_lerobots_leads_to_the_key_here(theirs: str, ours: str) -> None:
    assert ours in explain(theirs)


@pytest.mark.parametrize("table", [names.DERIVED, names.DEAD, names.NO_COUNTERPART])
def test_lerobots_other_keys_are_told_with_the_reason(table: dict[str, str]) -> None:
    for theirs, why in table.items():
        if "*" not in theirs and theirs not in OURS:
            assert why in explain(theirs)


def test_lerobots_old_place_of_a_key_is_told() -> None:
    assert explain("policy.temperature_init").startswith(
        "policy.temperature_init is LeRobot's name for algorithm.temperature_init:\n\nalgorithm.temperature_init\n"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("utd_ration", "did you mean algorithm.utd_ratio?"),
        ("algorithm.temprature_init", "did you mean algorithm.temperature_init"),
        ("envv.fps", "did you mean env.fps"),
        ("qqq", "there are schema_version, run, env"),
        ("", "there are schema_version"),
    ],
)
def test_a_word_that_is_no_key_gets_the_nearest(wrong: str, said: str) -> None:
    with pytest.raises(NoSuchKey, match="no key is called") as caught:
        explain(wrong)
    assert said in str(caught.value)


def test_the_page_with_every_key_is_up_to_date() -> None:
    page = Path("docs/configuration.md").read_text()
    assert page == text(), "write it again: hilserl-tui config reference --output docs/configuration.md"
    for key in schema_keys():
        assert f"`{key.path[-1]}`" in page or f"{'.'.join(key.path)}" in page


def test_a_part_of_a_name_leads_to_the_keys_that_have_it() -> None:
    with pytest.raises(NoSuchKey, match=r"did you mean .*policy_parameters_push_frequency"):
        explain("push_frequency")
