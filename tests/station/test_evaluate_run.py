"""The job without a screen: real processes on the simulator, and everything that it leaves."""

from pathlib import Path

import cv2
from typer.testing import CliRunner

from hilserl_tui.commands import app
from tests.station.evaluated_run import STEP, evaluating, trained_run
from workers.learner.weights_digest import weights_digest
from workers.model.evaluation_files import REPORT, newest
from workers.policy_export.source import from_checkpoint
from workers.transport.log import LogReader

LIMIT_S = 60.0


def test_two_trials_are_made_told_and_kept(tmp_path: Path) -> None:
    config = trained_run(tmp_path)
    run_dir = tmp_path / "runs/reach"
    process = evaluating(config, "--trials", "2", "--seed", "5")
    assert process.wait(LIMIT_S) == 0, (tmp_path / "evaluate.txt").read_text()
    (result,) = newest(run_dir, 9)
    checkpoint = run_dir / f"checkpoints/step-{STEP:08d}"
    digest = weights_digest(from_checkpoint(checkpoint).tensors)
    assert (result.complete, result.seed, result.contestants[0].digest) == (True, 5, digest)
    assert result.contestants[0].source == str(checkpoint)
    assert [trial.number for trial in result.trials if trial.counted] == [0, 1]
    for trial in result.trials:
        assert trial.success or (trial.ended_by, trial.steps) == ("time_limit", 5)
        assert set(trial.pictures) == {"front", "side"}
        for name in trial.pictures["front"]:
            assert cv2.imread(str(Path(result.folder) / name)).shape == (32, 32, 3)
    assert (Path(result.folder) / REPORT).stat().st_size > 2000
    told = (tmp_path / "evaluate.txt").read_text()
    assert digest[:12] in told and "trial 2 of 2: " in told and f"kept in {result.folder}" in told
    assert LogReader(tmp_path / "runs/reach-evaluate/log").read_new() == [], "nothing is learned from it"
    listed = CliRunner().invoke(app, ["evaluate", str(config), "--list"])
    assert (
        listed.exit_code == 0
        and digest[:12] in listed.output
        and f"{result.folder}/{REPORT}" in listed.output
    )


def test_a_policy_that_is_not_there_is_refused_before_anything_starts(tmp_path: Path) -> None:
    config = trained_run(tmp_path)
    process = evaluating(config, "--checkpoint", "7")
    assert process.wait(LIMIT_S) == 2
    told = (tmp_path / "evaluate.txt").read_text()
    assert (
        f"no checkpoint of step 7; it has {STEP}" in told
        and "Traceback" not in told
        and "starting" not in told
    )
