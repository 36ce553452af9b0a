"""hilserl-worker crop: what a person asks for on the command line, and what is refused with nothing changed."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.dataset.pictured import CAMERAS, pictured
from workers.cli import app
from workers.config import load
from workers.config.ready import ready_config
from workers.dataset.reader import Dataset

FRONT, SIDE = CAMERAS
LINES = (
    "Selected Rectangular Regions of Interest (top, left, height, width):\n"
    "observation.images.front: [10, 20, 64, 80]\n"
)


class Desk:
    """A configuration whose cameras give 128 x 96, and a dataset of their pictures."""

    def __init__(self, folder: Path, video: bool = False) -> None:
        self.folder = folder
        self.config = folder / "c.toml"
        whole = ready_config().read_text().replace("height = 128\n", "height = 96\n")
        self.config.write_text(whole)
        self._before = whole
        self.dataset = pictured(folder / "lift", video)
        self.copy = folder / "lift_cropped_resized"

    def crop(self, *options: str, dataset: str | None = None) -> Result:
        base = ["crop", "--config", str(self.config), "--dataset", dataset or str(self.dataset)]
        return CliRunner().invoke(app, [*base, *options])

    @property
    def pictures(self):
        return load(self.config).env.processor.image_preprocessing

    def untouched(self) -> bool:
        return self.config.read_text() == self._before and not self.copy.exists()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_crop_goes_into_the_file_and_the_copy(desk: Desk) -> None:
    done = desk.crop("--crop", "front=10,20,64,80", "--resize", "64", "64")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(LINES)
    assert "3 episodes, 20 frames" in done.stdout
    assert desk.pictures.crop_params_dict == {FRONT: (10, 20, 64, 80)}
    assert desk.pictures.resize_size == (64, 64)
    assert Dataset(desk.copy).info.features[SIDE].shape == (64, 64, 3)


def test_without_crops_those_of_the_file_are_used(desk: Desk) -> None:
    assert desk.crop("--crop", "front=10,20,64,80").exit_code == 0
    before = desk.config.read_text()
    done = desk.crop("--output", str(desk.folder / "again"))
    assert done.exit_code == 0 and done.stdout.startswith(LINES)
    assert desk.config.read_text() == before
    first, second = (Dataset(root).frames(0, [FRONT])[FRONT] for root in (desk.copy, desk.folder / "again"))
    assert np.array_equal(first, second)
    assert first.shape[1:] == (128, 128, 3), "the file's size"


def test_print_only_prints_and_changes_nothing(desk: Desk) -> None:
    done = desk.crop("--crop", "front=10,20,64,80", "--print-only")
    assert (done.exit_code, done.stdout) == (0, LINES)
    assert desk.untouched()


def test_a_preview_shows_the_crop_and_the_policys_view(desk: Desk) -> None:
    path = desk.folder / "p.png"
    options = ("--crop", "front=10,20,64,80", "--preview", str(path), "--episode", "1", "--frame", "2")
    assert desk.crop(*options).exit_code == 0
    assert desk.untouched()
    drawn = cv2.imread(str(path))[..., ::-1]
    picture = Dataset(desk.dataset).frames(1, [FRONT])[FRONT][2]
    assert np.array_equal(drawn[30:74, 20:100], picture[30:74, 20:100]), "inside the crop, below the words"
    assert drawn[80:90, 110:125].mean() < picture[80:90, 110:125].mean() / 2, "darker outside"
    assert tuple(drawn[9, 60]) == (230, 159, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--crop", "frnt=1,2,30,40"), 'no camera "frnt"; did you mean "front"?'),
        (("--crop", "front=90,2,30,40"), "the picture has 96 rows and 128 columns"),
        (("--crop", "front=1,2,30"), "top, left, height, width"),
        (("--crop", "front"), "CAMERA=TOP,LEFT,HEIGHT,WIDTH"),
        (("--preview", "p.png", "--frame", "99"), "no frame 99: it has 7, counted from 0"),
        (("--preview", "p.png", "--episode", "9"), "no episode 9"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_touched(desk: Desk, options, words, monkeypatch) -> None:
    monkeypatch.chdir(desk.folder)
    refused = desk.crop(*options)
    assert refused.exit_code == 2
    assert words in refused.stderr
    assert desk.untouched() and not (desk.folder / "p.png").exists()


def test_a_dataset_that_is_not_there_or_half_there_is_refused(desk: Desk, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    refused = desk.crop(dataset="kim/lift")
    assert refused.exit_code == 2 and f"or in {tmp_path / 'home/kim/lift'}" in refused.stderr
    (desk.dataset / "meta/info.json").unlink()
    refused = desk.crop("--crop", "front=10,20,64,80")
    assert refused.exit_code == 2 and "downloaded to its end" in refused.stderr
    assert desk.untouched()


def test_a_dataset_is_found_by_its_id_below_lerobots_folder(desk: Desk, monkeypatch) -> None:
    home = desk.folder / "home"
    (home / "kim").mkdir(parents=True)
    desk.dataset.rename(home / "kim/lift")
    monkeypatch.setenv("HF_LEROBOT_HOME", str(home))
    assert desk.crop("--crop", "front=10,20,64,80", dataset="kim/lift").exit_code == 0
    assert Dataset(home / "kim/lift_cropped_resized").info.total_frames == 20


def test_a_dataset_without_pictures_is_refused_with_its_columns(desk: Desk) -> None:
    import json

    path = desk.dataset / "meta/info.json"
    info = json.loads(path.read_text())
    for key in CAMERAS:
        del info["features"][key]
    path.write_text(json.dumps(info))
    refused = desk.crop()
    assert refused.exit_code == 2 and "no pictures to crop" in refused.stderr


def test_a_copy_that_is_there_has_an_exit_code_of_its_own(desk: Desk) -> None:
    assert desk.crop("--crop", "front=10,20,64,80").exit_code == 0
    again = desk.crop("--crop", "front=11,20,64,80")
    assert again.exit_code == 3 and "--replace" in again.stderr
    assert desk.pictures.crop_params_dict == {FRONT: (10, 20, 64, 80)}, "and the file is as it was"
    assert desk.crop("--crop", "front=11,20,64,80", "--replace").exit_code == 0
    assert desk.pictures.crop_params_dict == {FRONT: (11, 20, 64, 80)}


def test_a_dataset_of_other_cameras_is_cropped_and_the_file_left_alone(desk: Desk) -> None:
    before = ready_config().read_text()
    desk.config.write_text(before)  # its cameras give 128 x 128
    done = desk.crop("--crop", "front=10,20,64,80")
    assert done.exit_code == 0
    assert "was left as it is" in done.stderr and "96 rows and 128 columns" in done.stderr
    assert desk.config.read_text() == before and desk.copy.exists()


def test_crops_of_the_file_are_not_for_pictures_of_another_size(desk: Desk) -> None:
    crops = '[env.processor.image_preprocessing.crop_params_dict]\n"observation.images.front" = [8, 16, 96, 96]\n\n'
    text = ready_config().read_text().replace("[env.processor.gripper]", crops + "[env.processor.gripper]")
    desk.config.write_text(text)
    refused = desk.crop()
    assert refused.exit_code == 2 and "the configured camera gives 128 and 128" in refused.stderr
    assert not desk.copy.exists()
