"""What is kept of an evaluation, and when."""

import stat
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.made import NEW, OLD, result
from workers.actor.trial import png
from workers.evaluation import keeper as module
from workers.evaluation.keeper import Keeper
from workers.model.evaluation import Result
from workers.model.evaluation_events import EvaluationBegan, EvaluationEnded, TrialEnded, TrialKept
from workers.model.evaluation_files import folders, new_folder, newest, read_result
from workers.model.event import Event

PICTURE = png(np.full((8, 12, 3), (200, 30, 20), np.uint8))


def ended(number: int, ended_by: str = "success", side: int = 0, **changes: object) -> TrialEnded:
    fields: dict[str, object] = {
        "episode": number,
        "number": number,
        "side": side,
        "seed": 5 + number,
        "ended_by": ended_by,
        "decided_by": "task",
        "reason": "",
        "steps": 30,
        "seconds": 3.0,
        "policy_version": 38,
        "digest": (NEW, OLD)[side].digest,
        "pictures": {"front": (PICTURE, PICTURE), "wrist.left": (PICTURE, PICTURE)},
    }
    return TrialEnded(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def told() -> list[Event]:
    return []


def kept_in(folder: Path, told: list[Event], against: bool = False) -> Keeper:
    return Keeper(result(folder=str(folder), against=against, wanted=2), told.append)


def wait(keeper: Keeper) -> None:
    keeper._thread.submit(int).result()


def test_a_trial_is_on_the_disk_before_the_evaluation_ends(tmp_path: Path, told: list[Event]) -> None:
    keeper = kept_in(tmp_path / "it", told)
    keeper.take(ended(0))
    wait(keeper)  # nobody ends it: the machine goes dark
    read = read_result(tmp_path / "it")
    assert (len(read.trials), read.ended, read.complete) == (1, "", False)
    for pair in read.trials[0].pictures.values():
        assert all((tmp_path / "it" / name).read_bytes() == PICTURE for name in pair)
    assert "so far" in (tmp_path / "it" / "report.html").read_text()
    assert not list((tmp_path / "it").glob(".*")), "nothing half written is left"
    keeper.end("", complete=False)


def test_the_consoles_are_told_what_is_kept(tmp_path: Path, told: list[Event]) -> None:
    keeper = kept_in(tmp_path, told)
    trial = keeper.take(ended(0))
    keeper.end("2 of 2 trials", complete=True)
    keeper.end("again", complete=False)
    assert [type(event) for event in told] == [EvaluationBegan, TrialKept, EvaluationEnded]
    assert told[1] == TrialKept(trial) and told[2] == EvaluationEnded("2 of 2 trials", True)
    assert read_result(tmp_path) == keeper.result


@pytest.mark.parametrize(
    ("ended_by", "reason", "counted", "why"),
    [
        ("success", "", True, ""),
        ("failure", "", True, ""),
        ("time_limit", "", True, ""),
        ("rerecord", "", False, "to be repeated, said the person"),
        ("stop", "somebody took over", False, "somebody took over"),
    ],
)
def test_what_counts(
    tmp_path: Path, told: list[Event], ended_by: str, reason: str, counted: bool, why: str
) -> None:
    keeper = kept_in(tmp_path, told)
    trial = keeper.take(ended(0, ended_by, reason=reason))
    assert (trial.counted, trial.success, trial.why) == (counted, ended_by == "success", why)
    keeper.end("", complete=False)


def test_a_repeated_trial_keeps_the_pictures_of_both(tmp_path: Path, told: list[Event]) -> None:
    keeper = kept_in(tmp_path, told, against=True)
    first, again = keeper.take(ended(0, "stop")), keeper.take(ended(0))
    names = [name for trial in (first, again) for pair in trial.pictures.values() for name in pair]
    assert len(set(names)) == 8 and "trial-001-a-wrist.left-first.png" in names
    keeper.end("", complete=False)
    assert all((tmp_path / name).exists() for name in names)


def test_a_camera_cannot_name_a_file_elsewhere(tmp_path: Path, told: list[Event]) -> None:
    keeper = kept_in(tmp_path / "in", told)
    trial = keeper.take(ended(0, pictures={"../../evil/x": (PICTURE, PICTURE)}))
    keeper.end("", complete=False)
    assert all("/" not in name for name in trial.pictures["../../evil/x"])
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_files_are_their_owners_alone(tmp_path: Path, told: list[Event]) -> None:
    keeper = kept_in(tmp_path / "it", told)
    keeper.take(ended(0))
    keeper.end("", complete=False)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "it").iterdir()}
    assert modes == {0o600} and stat.S_IMODE((tmp_path / "it").stat().st_mode) == 0o700


def test_a_full_disk_is_told_once_and_the_next_trial_brings_all(
    tmp_path: Path, told: list[Event], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeper, write = kept_in(tmp_path, told), module.write
    wait(keeper)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(module, "write", full)
    keeper.take(ended(0))
    keeper.take(ended(1))
    wait(keeper)
    assert caplog.text.count("No space left on device") == 1 and "free some space" in caplog.text
    monkeypatch.setattr(module, "write", write)
    keeper.end("", complete=False)
    assert len(read_result(tmp_path).trials) == 2


def test_a_run_lists_its_results_newest_first_and_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    made: list[Result] = []
    for began_s in (1_800_000_000.0, 1_800_000_000.0, 1_800_086_400.0):
        folder = new_folder(tmp_path, began_s, NEW.digest)
        made.append(result(folder=str(folder), began_s=began_s))
        module.write(folder, made[-1], {})
    ends = [Path(one.folder).name.partition("-")[2].partition("-")[2] for one in newest(tmp_path, 9)]
    assert ends == ["1f0c34ab9d77", "1f0c34ab9d77-2", "1f0c34ab9d77"]
    assert newest(tmp_path, 9)[0].began_s == 1_800_086_400.0
    assert len(newest(tmp_path, 2)) == 2
    (folders(tmp_path)[0] / "result.json").write_text('{"format": 1')
    assert len(newest(tmp_path, 9)) == 2
    with pytest.raises(ValueError, match=r"result\.json cannot be read"):
        read_result(folders(tmp_path)[0])


def test_a_result_of_another_format_is_refused_in_words(tmp_path: Path) -> None:
    module.write(tmp_path, result(format=2), {})
    with pytest.raises(ValueError, match="has format 2; this version reads 1"):
        read_result(tmp_path)
