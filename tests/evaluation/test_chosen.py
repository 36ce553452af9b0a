"""Which policy a name means, and that the very weights it has are the ones that drive."""

import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from msgspec.structs import replace

from tests.emulators.policies import observations
from tests.evaluation.made import result as made
from tests.evaluation.made import trial
from tests.learner.runs import tiny_config
from workers.actor.policy import Policy
from workers.actor.runtime import PolicyRuntime, read_policy
from workers.actor.trial_policies import TrialPolicies
from workers.actor.trial_shelves import shelf_of
from workers.config import Config, ConfigError, EvaluationConfig
from workers.config.evaluation import evaluated_run
from workers.config.overrides import Overrides
from workers.evaluation.chosen import find, lay_ready
from workers.evaluation.contestants import read_contestants
from workers.evaluation.keeper import write
from workers.learner.session import LearnerSession
from workers.learner.weights_digest import weights_digest
from workers.model.evaluation_files import new_folder
from workers.policy_export.folder import load_exported, own_files, write_folder
from workers.policy_export.source import ExportRefused, from_checkpoint, from_run
from workers.processors.build import feature_spec
from workers.processors.errors import EnvironmentRefused
from workers.transport.shelf import PolicyShelf


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A run with checkpoints of steps 20 and 40, which are policies 1 and 2, and a newer policy than both."""
    torch.set_num_threads(1)
    config = tiny_config(tmp_path_factory.mktemp("trained"))
    newest_acts = msgspec.structs.replace(config.algorithm, policy_average_weight=1.0)
    config = msgspec.structs.replace(config, algorithm=newest_acts)
    session = LearnerSession(config)
    for updates, bias in ((20, 0.1), (40, 0.5), (60, 0.9)):
        with torch.no_grad():
            session.sac.actor.mean.bias.fill_(bias)
        session.sac.critic_updates = updates
        session.publish()
        if updates < 60:
            session.save_checkpoint(wait=True)
    session.close()
    return config


def evaluating(config: Config, checkpoint: str | None = None, against: str | None = None) -> Config:
    wanted = Overrides("evaluate", checkpoint=checkpoint, against=against, trials=2)
    applied = wanted.applied(config, named=False)
    applied.run_dir.mkdir(exist_ok=True)
    return applied


def exported(config: Config, folder: Path) -> Path:
    write_folder(folder, own_files(find("40", config.run_dir)[1]))
    return folder


def test_a_name_means_a_step_a_folder_or_the_newest(trained: Config, tmp_path: Path) -> None:
    run_dir = trained.run_dir
    newest, _ = find(None, run_dir)
    assert newest.name == "step-00000040"
    assert find("20", run_dir)[0].name == "step-00000020"
    for name in (str(newest), str(run_dir), "40"):
        assert find(name, run_dir)[0].name == newest.name
    folder = exported(trained, tmp_path / "out")
    assert find(str(folder), run_dir)[0] == folder


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("7", "no checkpoint of step 7; it has 20, 40"),
        ("best", "was evaluated while it trained"),
        ("/nowhere", "there is no /nowhere: give"),
    ],
)
def test_what_cannot_be_found_is_refused_in_words(trained: Config, name: str, words: str) -> None:
    with pytest.raises(ExportRefused) as refused:
        find(name, trained.run_dir)
    assert words in str(refused.value)


def test_a_folder_of_something_else_is_refused_in_words(trained: Config, tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="neither a checkpoint nor a run"):
        find(str(tmp_path), trained.run_dir)
    (tmp_path / "config.json").write_text('{"type": "act"}')
    with pytest.raises(ExportRefused, match="LeRobot's layout, which is written here and not read"):
        find(str(tmp_path), trained.run_dir)
    with pytest.raises(ExportRefused, match="has no checkpoint and no policy: train it first"):
        find(None, tmp_path / "lift")


def test_the_same_weights_have_the_same_digest_wherever_they_lie(trained: Config, tmp_path: Path) -> None:
    """In the checkpoint, in the exported folder, in the evaluating actor, and in the training one."""
    digest = weights_digest(from_checkpoint(find("40", trained.run_dir)[0]).tensors)
    assert load_exported(exported(trained, tmp_path / "out")).digest == digest
    config = evaluating(trained, "40")
    assert lay_ready(config)[0].digest == digest
    features = feature_spec(config)
    assert TrialPolicies(config, features).digest == digest
    shelf = PolicyShelf(trained.run_dir / "policy")
    policy = Policy(features, trained.policy, trained.algorithm, "cpu")
    version = shelf.versions()[1]
    policy.load(read_policy(shelf, version, frozen=True), version)
    assert (version, policy.digest) == (2, digest)
    runtime = PolicyRuntime(trained, lambda event: None)
    runtime.offer(3)
    until_s = time.monotonic() + 20.0
    while runtime.version != 3:
        assert time.monotonic() < until_s
        time.sleep(0.005)
        runtime.swap()
    assert runtime.digest == weights_digest(from_run(trained.run_dir).tensors) != digest


def test_the_actor_drives_with_what_was_laid_ready(trained: Config, tmp_path: Path) -> None:
    config = evaluating(trained, str(exported(trained, tmp_path / "out")), against="20")
    contestants = lay_ready(config)
    assert read_contestants(config.run_dir) == contestants
    features = feature_spec(config)
    policies, seen = TrialPolicies(config, features), observations(1, features)
    actions = []
    for side, name in enumerate(("40", "20")):
        policies.choose(side)
        assert policies.digest == contestants[side].digest
        before = find(name, trained.run_dir)[1].policy().act(seen, True, torch.Generator())
        np.testing.assert_array_equal(policies.act(seen, deterministic=True), before)
        actions.append(before)
    assert not np.array_equal(*actions)


def test_a_second_evaluation_leaves_nothing_of_the_first(trained: Config) -> None:
    lay_ready(evaluating(trained, "40", against="20"))
    config = evaluating(trained, "20")
    lay_ready(config)
    assert not shelf_of(config.run_dir, 1).exists()
    assert len(read_contestants(config.run_dir)) == 1


def test_the_same_weights_are_not_tried_against_themselves(trained: Config, tmp_path: Path) -> None:
    folder = exported(trained, tmp_path / "out")
    with pytest.raises(EnvironmentRefused) as refused:
        lay_ready(evaluating(trained, "40", against=str(folder)))
    assert refused.value.path == ("evaluation", "against") and "the very weights" in refused.value.text


def test_a_policy_of_another_arm_is_refused_and_what_differs_is_named(trained: Config) -> None:
    cameras = dict(list(trained.env.cameras.items())[:1])
    robot = replace(trained.env.robot, cameras=cameras)  # type: ignore[type-var]
    other = replace(evaluating(trained), env=replace(trained.env, robot=robot))
    with pytest.raises(EnvironmentRefused) as refused:
        lay_ready(other)
    assert refused.value.path == ("evaluation", "checkpoint") and "cameras" in refused.value.text


def test_an_evaluation_is_called_after_the_run_and_asks_for_what_the_command_said(trained: Config) -> None:
    config = evaluating(trained, "40", against="20")
    assert config.run.name == f"{trained.run.name}-evaluate" and config.mode == "evaluate"
    assert msgspec.structs.replace(
        config.evaluation, start_at_success=0.85, start_after_episodes=0
    ) == EvaluationConfig(episodes=2, checkpoint="40", against="20")


def cut_off(config: Config, name: str, digest: str | None = None) -> Config:
    """A configuration that goes on with an evaluation of the checkpoint `name`, or of other weights there."""
    first = evaluating(config, name)
    (contestant,) = lay_ready(first)
    was = replace(contestant, digest=digest or contestant.digest)
    later_s = 60.0 * (digest is not None)  # the newest of the two that this run gets here
    folder = new_folder(evaluated_run(first.run_dir), time.time() + later_s, was.digest)
    result = made(trial(0), folder=str(folder), contestants=(was,), ended="cut off after 1 of 10 trials")
    write(folder, result, {})
    return Overrides("evaluate", go_on=True).applied(config, named=False)


def test_what_was_cut_off_goes_on_with_the_policy_that_it_tried(trained: Config) -> None:
    (contestant,) = lay_ready(cut_off(trained, "20"))
    assert contestant.label.startswith("step-") and contestant.updates == 20, "the newest is of step 40"


def test_it_is_refused_where_the_weights_are_not_those_any_more(trained: Config) -> None:
    with pytest.raises(EnvironmentRefused, match="other weights now"):
        lay_ready(cut_off(trained, "20", digest="0" * 64))


def test_it_is_refused_where_nothing_was_cut_off(tmp_path: Path, trained: Config) -> None:
    run = replace(trained.run, directory=str(tmp_path))
    config = Overrides("evaluate", go_on=True).applied(replace(trained, run=run), named=False)
    with pytest.raises(EnvironmentRefused, match="was cut off"):
        lay_ready(config)


def test_what_goes_on_says_itself_what_is_tried(trained: Config) -> None:
    with pytest.raises(ConfigError, match="leave --checkpoint"):
        Overrides("evaluate", checkpoint="20", go_on=True).applied(trained, named=False)
