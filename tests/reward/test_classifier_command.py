"""hilserl-worker train-classifier and export-classifier, as a person and as a console starts them."""

import io
import re
from pathlib import Path

import msgspec
import pytest
import torch
from typer.testing import CliRunner, Result

from tests.reward.classifiers import classifier, images
from tests.reward.scenes import SIZE, SMALL, Scene
from tests.reward.test_lerobot_layout import CAMERAS, FOR_LEROBOT
from workers.cli import app
from workers.config import load
from workers.config.edit import with_values
from workers.config.ready import ready_config
from workers.model.events import ClassifierFailed, ClassifierProgress, ClassifierReported, ClassifierStarted
from workers.model.wire import HEAD_BYTES, Batch, decode_from_station, frame_length
from workers.reward.checkpoint import DESCRIPTION, load_classifier, save_classifier
from workers.reward.errors import ClassifierError
from workers.reward.hub import push


class Desk:
    """A configuration, a dataset, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "c.toml"
        keys = {
            **SMALL,
            "reward_classifier.max_epochs": 3,
            "env.processor.image_preprocessing.resize_size": [SIZE, SIZE],
            "run.directory": str(folder),
            "run.name": "it",
        }
        values = {tuple(key.split(".")): value for key, value in keys.items()}
        self.config.write_text(with_values(ready_config().read_text(), "c.toml", values))
        self.classifier = folder / "it" / "reward_classifier"

    def train(self, root: Path, *options: str) -> Result:
        torch.set_num_threads(1)
        command = ["train-classifier", "--config", str(self.config), "--dataset", str(root), *options]
        return CliRunner().invoke(app, command)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Scene().record(tmp_path_factory.mktemp("data") / "lift")


def test_a_person_reads_what_it_learns_from_how_it_goes_and_what_came_of_it(desk: Desk, data: Path) -> None:
    done = desk.train(data)
    assert done.exit_code == 0, done.output
    words = done.stdout
    assert re.search(r"learns from\s+5 episodes, 4 with success", words)
    assert re.search(r"held out\s+3 episodes, 2 with success", words)
    assert re.findall(r"epoch\s+(\d) of at most 3", words) == ["1", "2", "3"]
    for part in (
        "On held-out episodes",
        "Reliability",
        "Thresholds",
        "recommended",
        "[env.processor.reward_classifier]",
    ):
        assert part in words
    assert f'pretrained_path = "{desk.classifier}"' in words
    load_classifier(desk.classifier, {"front": (SIZE, SIZE), "side": (SIZE, SIZE)})
    assert load(desk.config).env.processor.reward_classifier is None, "it was only printed"


def test_the_reward_is_handed_over_where_that_is_asked_for(desk: Desk, data: Path) -> None:
    before = desk.config.read_text()
    done = desk.train(data, "--write", "--output", str(desk.folder / "else"))
    assert done.exit_code == 0, done.output
    handed = load(desk.config).env.processor.reward_classifier
    assert handed is not None and handed.pretrained_path == str(desk.folder / "else")
    report = msgspec.json.decode((desk.folder / "else/report.json").read_bytes(), type=ClassifierReported)
    assert handed.success_threshold == report.success_threshold
    assert [line for line in before.splitlines() if line not in desk.config.read_text().splitlines()] == []


def test_a_console_gets_events_and_nothing_else(desk: Desk, data: Path) -> None:
    done = desk.train(data, "--frames")
    assert done.exit_code == 0, done.output
    stream, events = io.BytesIO(done.stdout_bytes), []
    while head := stream.read(HEAD_BYTES):
        batch = decode_from_station(stream.read(frame_length(head)))
        assert isinstance(batch, Batch)
        events += batch.events
    kinds = [type(event) for event in events]
    assert kinds.count(ClassifierStarted) == kinds.count(ClassifierReported) == 1
    assert kinds[0] is ClassifierProgress and kinds[-1] is ClassifierReported
    assert [
        event.epoch for event in events if isinstance(event, ClassifierProgress) and event.epoch_ended
    ] == [1, 2, 3]


def test_a_refusal_is_a_table_with_exit_code_2_and_an_event_for_a_console(desk: Desk, tmp_path: Path) -> None:
    root = Scene(outcomes=(False, False)).record(tmp_path / "none")
    refused = desk.train(root)
    assert refused.exit_code == 2
    assert "success" in refused.stderr and "Traceback" not in refused.output
    assert not desk.classifier.exists()
    told = desk.train(root, "--frames")
    body = told.stdout_bytes
    *_, last = _batches(body)
    assert isinstance(last, ClassifierFailed) and "there is too little to learn from" in last.reason


def _batches(content: bytes) -> list[object]:
    stream, events = io.BytesIO(content), []
    while head := stream.read(HEAD_BYTES):
        events += decode_from_station(stream.read(frame_length(head))).events  # type: ignore[union-attr]
    return events


def test_a_configuration_that_is_wrong_is_told_with_its_line(desk: Desk, data: Path) -> None:
    desk.config.write_text(desk.config.read_text().replace("hidden_dim = 32", "hiden_dim = 32"))
    refused = desk.train(data)
    assert refused.exit_code == 2
    assert "hiden_dim" in refused.stderr and "hidden_dim" in refused.stderr


def test_export_to_lerobot_and_back(tmp_path: Path) -> None:
    made, seen = classifier(FOR_LEROBOT, CAMERAS), images(2, CAMERAS)
    save_classifier(tmp_path / "ours", made)
    for source, to, layout in (("ours", "theirs", "lerobot"), ("theirs", "back", "hilserl")):
        command = [
            "export-classifier",
            "--classifier",
            str(tmp_path / source),
            "--to",
            str(tmp_path / to),
            "--format",
            layout,
        ]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        loaded = load_classifier(tmp_path / to, CAMERAS)
        torch.testing.assert_close(
            loaded.success_probability(seen), made.success_probability(seen), atol=1e-6, rtol=0
        )
    assert not (tmp_path / "theirs" / DESCRIPTION).exists()
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2 and "is there already" in again.stderr


class FakeHub:
    """As much of the hub's client as an upload needs."""

    def __init__(self, files: list[str], broken: bool = False) -> None:
        self.files, self.broken = files, broken
        self.uploaded: list[dict[str, object]] = []

    def create_repo(self, repo_id: str, repo_type: str, exist_ok: bool) -> None:
        if self.broken:
            raise ConnectionError("no route to host")

    def list_repo_files(self, repo_id: str, repo_type: str) -> list[str]:
        return self.files

    def upload_folder(self, **given: object) -> None:
        self.uploaded.append(given)


def test_the_hub_gets_the_classifier_without_what_is_of_this_machine(tmp_path: Path) -> None:
    save_classifier(tmp_path, classifier())
    empty, full = FakeHub([".gitattributes"]), FakeHub(["classifier.json"])
    push(tmp_path, "me/lifted", empty)  # type: ignore[arg-type]
    (upload,) = empty.uploaded
    assert (upload["repo_id"], upload["repo_type"]) == ("me/lifted", "model")
    assert "report.json" in upload["ignore_patterns"]  # type: ignore[operator]
    with pytest.raises(ClassifierError, match="is not empty"):
        push(tmp_path, "me/lifted", full)  # type: ignore[arg-type]
    assert not full.uploaded
    with pytest.raises(ClassifierError, match="no route to host"):
        push(tmp_path, "me/lifted", FakeHub([], broken=True))  # type: ignore[arg-type]
