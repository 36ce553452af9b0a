"""What a command wants of a run stands before what its file says, and nothing else changes."""

import pytest
from msgspec.structs import replace

from tests.altered import altered
from workers.config.errors import ConfigError
from workers.config.evaluation import evaluated_run
from workers.config.overrides import Overrides

FILE = {"dataset.root": "set", "dataset.repo_id": "me/set", "run.name": "lift"}


def test_wanting_nothing_changes_nothing() -> None:
    config = altered(FILE)
    assert Overrides().applied(config, named=False) == config


def test_a_run_of_another_mode_has_a_name_of_its_own_unless_it_was_named() -> None:
    assert Overrides("record").applied(altered(FILE), named=False).run.name == "lift-record"
    assert Overrides("record").applied(altered(FILE), named=True).run.name == "lift"
    assert Overrides("record").applied(altered({**FILE, "mode": "record"}), named=False).run.name == "lift"


def test_an_evaluation_belongs_to_the_run_that_is_named_and_never_takes_its_name() -> None:
    for named in (True, False):
        config = Overrides("evaluate", trials=9).applied(altered(FILE), named=named)
        assert (config.run.name, config.evaluation.episodes) == ("lift-evaluate", 9)
        assert evaluated_run(config.run_dir) == altered(FILE).run_dir
    of_file = Overrides("evaluate").applied(altered({**FILE, "mode": "evaluate"}), named=False)
    assert evaluated_run(of_file.run_dir) == of_file.run_dir


def test_the_folder_of_the_file_is_not_that_of_another_dataset() -> None:
    assert Overrides(repo_id="me/other").applied(altered(FILE), named=False).dataset.root is None
    assert Overrides(repo_id="me/set").applied(altered(FILE), named=False).dataset.root == "set"
    assert Overrides(root="there").applied(altered(FILE), named=False).dataset.repo_id is None
    both = Overrides(repo_id="me/other", root="there").applied(altered(FILE), named=False).dataset
    assert (both.repo_id, both.root) == ("me/other", "there")


@pytest.mark.parametrize(
    ("wanted", "options"),
    [
        (Overrides(), []),
        (Overrides("replay", episode=0), ["--mode", "replay", "--episode", "0"]),
        (
            Overrides("record", "there", "me/set", 7, push_to_hub=False),
            ["--mode", "record", "--root", "there", "--repo-id", "me/set", "--episodes", "7", "--no-push"],
        ),
        (
            Overrides("evaluate", checkpoint="best", against="out", trials=9),
            ["--mode", "evaluate", "--checkpoint", "best", "--against", "out", "--trials", "9"],
        ),
    ],
)
def test_it_travels_as_options(wanted: Overrides, options: list[str]) -> None:
    assert list(wanted.options()) == options


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (Overrides(root=""), "dataset.root: "),
        (
            Overrides(repo_id="lift"),
            'dataset.repo_id: "lift" found, but this must be a name like "user/name"',
        ),
        (Overrides(repo_id="../../else"), "dataset.repo_id: "),
        (Overrides(episodes=0), "dataset.num_episodes_to_record: 0 found, but this must be "),
        (Overrides(episode=-1), "dataset.replay_episode: -1 found, but this must be "),
        (
            Overrides(root="there", push_to_hub=True),
            "dataset.push_to_hub: needs repo_id, the name on the hub",
        ),
    ],
)
def test_what_no_file_may_say_no_command_may_say(wanted: Overrides, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        wanted.applied(altered(FILE), named=False)
    assert str(caught.value).startswith(f"command line: {text}")


def test_pictures_too_large_for_networks_can_be_recorded_and_not_trained_on() -> None:
    large = {
        "env.robot.cameras": {"front": {"type": "sim", "width": 640, "height": 480}},
        "env.processor.image_preprocessing.resize_size": None,
    }
    recorded = altered({**FILE, **large, "mode": "record"})
    assert list(recorded.problems()) == []
    (problem,) = replace(recorded, mode=None).problems()
    assert problem[0] == ("env", "processor", "image_preprocessing", "resize_size")
    assert "480 x 640" in problem[1] or "640" in problem[1]
