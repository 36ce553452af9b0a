"""Our own export: a folder that drives an arm again, and nothing written over or loaded unseen."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import save
from typer.testing import CliRunner

from tests.emulators.policies import FEATURES, exportable, observations
from workers.cli import app
from workers.config import Config, PolicyConfig, load
from workers.config.ready import ready_config
from workers.learner.checkpoint_store import CheckpointStore
from workers.learner.session import LearnerSession
from workers.model.events import EndedBy, EpisodeEnded, EpisodeKind
from workers.policy_export.folder import load_exported, own_files, read_folder, write_folder
from workers.policy_export.hub import push
from workers.policy_export.source import ExportRefused, Success, from_checkpoint, from_run
from workers.runtime.episode_book import EpisodeBook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path / "out", own_files(exportable()))
    return tmp_path / "out"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = load(ready_config())
    return replace(
        config,
        run=replace(config.run, directory=str(tmp_path / "runs")),
        policy=replace(config.policy, online_buffer_capacity=50, offline_buffer_capacity=50),
    )


@pytest.fixture
def run_dir(config: Config) -> Path:
    """A run whose policy 2 is its newest, with a checkpoint and an evaluation of that policy."""
    session = LearnerSession(config)
    session.publish()
    with torch.no_grad():
        session.sac.actor.mean.bias.fill_(0.25)
        session.sac.average.tensors["actor.mean.bias"].fill_(0.5)  # acts
    session.pretrain_done = 1
    session.publish()
    session.save_checkpoint(wait=True)
    session.close()
    book = EpisodeBook(config.run_dir)
    ends = (EndedBy.SUCCESS, EndedBy.SUCCESS, EndedBy.TIME_LIMIT, EndedBy.STOP)
    for number, end in enumerate(ends):
        book.append(EpisodeEnded(number, EpisodeKind.EVALUATION, 1.0, 10, 0, 0, end, 1.0, 2))
    book.append(EpisodeEnded(9, EpisodeKind.EVALUATION, 0.0, 10, 0, 0, EndedBy.FAILURE, 1.0, 1))
    return config.run_dir


def test_an_exported_policy_acts_as_before(folder: Path) -> None:
    policy, before = load_exported(folder), exportable().policy()
    assert (policy.version, policy.features) == (7, FEATURES)
    seen = observations(1)
    for deterministic in (True, False):
        actions = [p.act(seen, deterministic, torch.Generator().manual_seed(1)) for p in (policy, before)]
        np.testing.assert_array_equal(*actions)


def test_the_description_tells_where_it_comes_from_and_nothing_of_the_machine(folder: Path) -> None:
    told = json.loads((folder / "policy.json").read_text())
    assert told["features"]["cameras"] == ["front", "wrist.left"]
    assert told["policy"]["vision_encoder_name"] == "lerobot_cnn"
    assert not told["policy"].keys() & {"device", "storage_device", "actor_learner_config"}
    assert told["origin"]["run"] == "pick"
    assert told["origin"]["success"] == {"successes": 18, "trials": 20}
    assert "18 of 20 alone" in (folder / "README.md").read_text()


def test_a_frozen_backbone_goes_with_the_policy(tmp_path: Path) -> None:
    policy = PolicyConfig(vision_encoder_name="resnet10", latent_dim=8)
    write_folder(tmp_path / "out", own_files(exportable(policy)))
    before = exportable(policy).policy().act(observations(1), True, torch.Generator())
    np.testing.assert_array_equal(
        load_exported(tmp_path / "out").act(observations(1), True, torch.Generator()), before
    )


@pytest.mark.parametrize("fault", ["weights", "exchanged", "newer", "setting", "text", "missing"])
def test_a_damaged_or_newer_folder_is_refused(folder: Path, fault: str) -> None:
    description = json.loads((folder / "policy.json").read_text())
    match fault:
        case "weights":
            data = bytearray((folder / "policy.safetensors").read_bytes())
            data[-1] ^= 1
            (folder / "policy.safetensors").write_bytes(bytes(data))
        case "exchanged":
            (folder / "policy.safetensors").write_bytes(save(exportable(seed=1).tensors))
        case "newer":
            description["format"] = 2
        case "setting":
            description["policy"]["attention_heads"] = 4
        case "missing":
            (folder / "policy.safetensors").unlink()
    text = "{" if fault == "text" else json.dumps(description)
    (folder / "policy.json").write_text(text)
    with pytest.raises(ExportRefused, match=str(folder)):
        load_exported(folder)


def test_a_folder_with_something_in_it_is_left_as_it_was(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ExportRefused, match="not empty"):
        write_folder(folder, own_files(exportable(seed=1)))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_folder(tmp_path / "out", {"policy.json": b"{}", "no/such/folder": b""})
    assert list(tmp_path.iterdir()) == []


def test_the_newest_policy_of_a_run_is_exported_with_its_success(run_dir: Path, config: Config) -> None:
    found = from_run(run_dir)
    assert (found.origin.run, found.origin.policy_version) == (config.run.name, 2)
    assert found.origin.success == Success(2, 3)
    assert found.settings.policy == config.policy
    assert (found.tensors["actor.mean.bias"] == 0.5).all()


def test_a_checkpoint_gives_the_same_policy_as_its_run(run_dir: Path) -> None:
    (path,) = CheckpointStore(run_dir / "checkpoints").paths()
    found, newest = from_checkpoint(path), from_run(run_dir)
    assert (found.origin.policy_version, found.origin.updates) == (2, 0)
    torch.testing.assert_close(found.tensors, newest.tensors, rtol=0, atol=0)


def test_a_run_without_a_policy_or_settings_is_refused(tmp_path: Path, run_dir: Path) -> None:
    with pytest.raises(ExportRefused, match="not the directory of a run"):
        from_run(tmp_path)
    with pytest.raises(ExportRefused, match="is not a checkpoint"):
        from_checkpoint(run_dir / "checkpoints" / "step-99999999")
    (run_dir / "policy" / "settings.json").unlink()
    with pytest.raises(ExportRefused, match=r"no settings\.json.*where the learner ran"):
        from_run(run_dir)
    for published in (run_dir / "policy").glob("*.safetensors"):
        published.unlink()
    with pytest.raises(ExportRefused, match="has published no policy yet"):
        from_run(run_dir)


def test_the_command_exports_and_refuses_without_a_traceback(run_dir: Path, tmp_path: Path) -> None:
    def invoke(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["export-policy", *words])
        return result.exit_code, result.output

    out = str(tmp_path / "out")
    assert invoke("--run", str(run_dir), "--to", out)[0] == 0
    assert read_folder(tmp_path / "out").origin.policy_version == 2
    code, told = invoke("--run", str(run_dir), "--to", out)
    assert code == 2 and "not empty" in told and "Traceback" not in told
    code, told = invoke("--run", str(run_dir), "--to", f"{out}2", "--format", "lerobot")
    assert code == 2 and 'vision_encoder_name = "lerobot_cnn"' in told
    code, told = invoke("--to", f"{out}2")
    assert code == 2 and "either --run or --checkpoint" in told
    assert not (tmp_path / "out2").exists()


class FakeHub:
    """The part of HfApi that is used."""

    def __init__(self, files: list[str], broken: bool = False) -> None:
        self.files, self.broken = files, broken
        self.uploaded: list[tuple[str, str]] = []

    def create_repo(self, repo_id: str, repo_type: str, exist_ok: bool) -> None:
        if self.broken:
            raise ConnectionError("no route to host")

    def list_repo_files(self, repo_id: str, repo_type: str) -> list[str]:
        return self.files

    def upload_folder(self, repo_id: str, repo_type: str, folder_path: Path, commit_message: str) -> None:
        self.uploaded.append((repo_id, repo_type))


def test_the_hub_gets_the_folder_once_and_is_never_written_over(folder: Path) -> None:
    empty, full = FakeHub([".gitattributes"]), FakeHub(["policy.json"])
    push(folder, "me/pick", empty)  # type: ignore[arg-type]
    assert empty.uploaded == [("me/pick", "model")]
    with pytest.raises(ExportRefused, match=r"me/pick on the hub is not empty.*hf upload me/pick"):
        push(folder, "me/pick", full)  # type: ignore[arg-type]
    assert full.uploaded == []
    with pytest.raises(ExportRefused, match=r"no route to host.*complete in"):
        push(folder, "me/pick", FakeHub([], broken=True))  # type: ignore[arg-type]
