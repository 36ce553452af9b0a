"""Crops as people type them, as LeRobot prints them, and in the text of a configuration, which keeps its comments."""

from pathlib import Path

import pytest

from workers.config import ConfigError, load
from workers.config.crops import (
    NoCrop,
    camera_key,
    check_crop,
    check_pictures,
    difference,
    parse_crop,
    parse_size,
    tutorial_lines,
    with_crops,
    write_crops,
)
from workers.config.load import parse
from workers.config.ready import ready_config

FRONT, SIDE = "observation.images.front", "observation.images.side"
SECTION = (
    "[env.processor.image_preprocessing]\n"
    "resize_size = [128, 128]        # what is recorded is what the policy will see\n"
)


def text(section: str = SECTION) -> str:
    whole = ready_config("sim_record").read_text()
    assert SECTION in whole
    return whole.replace(SECTION, section)


def test_the_lines_are_those_of_lerobots_tutorial():
    crops = {SIDE: (180, 207, 180, 200), FRONT: (180, 250, 120, 150)}
    assert tutorial_lines(crops) == (
        "Selected Rectangular Regions of Interest (top, left, height, width):\n"
        "observation.images.side: [180, 207, 180, 200]\n"
        "observation.images.front: [180, 250, 120, 150]"
    )


@pytest.mark.parametrize("typed", ["1,2,30,40", " 1 2 30 40 ", "[1, 2, 30, 40]", "(1, 2, 30, 40)"])
def test_a_crop_is_typed_as_people_like(typed):
    assert parse_crop(typed) == (1, 2, 30, 40)


@pytest.mark.parametrize("typed", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "-1,2,3,4", "1.5,2,3,4", "²,2,3,4"])
def test_what_is_no_crop_is_told(typed):
    with pytest.raises(NoCrop, match="top, left, height, width"):
        parse_crop(typed)


def test_sizes_are_typed_too():
    assert parse_size("64x96") == parse_size(" 64 96 ") == (64, 96)
    with pytest.raises(NoCrop, match="height and width"):
        parse_size("64")


def test_a_camera_is_found_by_its_name_and_a_wrong_one_gets_the_nearest():
    assert camera_key("front", [FRONT, SIDE]) == camera_key(FRONT, [FRONT, SIDE]) == FRONT
    with pytest.raises(NoCrop, match=r'no camera "frnt"; did you mean "front"'):
        camera_key("frnt", [FRONT, SIDE])
    with pytest.raises(NoCrop, match="there are front, side"):
        camera_key("zzz", [FRONT, SIDE])


def test_a_crop_that_cannot_be_is_told_with_the_pictures_size():
    check_crop("front", (0, 0, 480, 640), (480, 640))
    with pytest.raises(NoCrop, match=r"row 481 .*480 rows and 640 columns"):
        check_crop("front", (1, 0, 480, 640), (480, 640))
    with pytest.raises(NoCrop, match="8 x 8 is the least"):
        check_crop("front", (0, 0, 7, 640), (480, 640))


def test_pictures_that_the_cameras_do_not_give_are_no_ground_for_a_crop():
    config = load(ready_config())
    check_pictures(config, {FRONT: (128, 128), "observation.images.top": (5, 5)})
    with pytest.raises(NoCrop, match=r"480 rows and 640 columns, the configured camera gives 128 and 128"):
        check_pictures(config, {FRONT: (480, 640)})


@pytest.mark.parametrize(
    "section",
    [
        SECTION,
        "",
        "[env.processor.image_preprocessing]\ncrop_params_dict = {}\nresize_size = [128, 128] # c\n",
        '[env.processor.image_preprocessing]\ncrop_params_dict = { "observation.images.side" = [0, 0, 64, 64] } # c\n'
        "resize_size = [128, 128]\n",
        '[env.processor.image_preprocessing.crop_params_dict]\n"observation.images.side" = [0, 0, 64, 64] # c\n\n'
        "[env.processor.image_preprocessing]\nresize_size = [64, 64] # d\n",
    ],
    ids=["none", "no-section", "empty", "inline", "table"],
)
def test_crops_go_into_any_way_of_writing_them_and_comments_stay(section):
    before = text(section)
    after = with_crops(before, "c.toml", {FRONT: (8, 16, 96, 96)}, (128, 128))
    pictures = parse(after).env.processor.image_preprocessing
    assert pictures.resize_size == (128, 128)
    assert pictures.crop_params_dict[FRONT] == (8, 16, 96, 96)
    if "side" in section:
        assert pictures.crop_params_dict[SIDE] == (0, 0, 64, 64), "crops of other cameras stay"
    comments = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    assert all(comment in after for comment in comments)
    assert with_crops(after, "c.toml", {FRONT: (8, 16, 96, 96)}, (128, 128)) == after, "nothing twice"


def test_a_section_between_braces_stays_there():
    pictures = "image_preprocessing = { resize_size = [128, 128] } # c\n"
    before = text("").replace('max_gripper_pos = 40            # "open", percent\n', pictures)
    after = with_crops(before, "c.toml", {FRONT: (8, 16, 96, 96)}, None)
    assert parse(after).env.processor.image_preprocessing.crop_params_dict == {FRONT: (8, 16, 96, 96)}
    assert len(difference(before, after, "c.toml")) == 5, "a line of three has changed"


def test_a_new_table_stands_free():
    after = with_crops(text(), "c.toml", {FRONT: (8, 16, 96, 96)}, None)
    header = "\n\n[env.processor.image_preprocessing.crop_params_dict]\n"
    assert header + '"observation.images.front" = [8, 16, 96, 96]\n\n[' in after


@pytest.mark.parametrize(
    ("crops", "size", "words"),
    [
        ({"observation.images.top": (0, 0, 64, 64)}, None, "no such camera"),
        ({FRONT: (100, 0, 64, 64)}, None, "128 rows"),
        ({}, (33, 64), "resize_size"),
    ],
)
def test_what_would_be_no_configuration_is_not_written(tmp_path: Path, crops, size, words):
    path = tmp_path / "c.toml"
    path.write_text(text())
    with pytest.raises(ConfigError, match=words):
        write_crops(path, crops, size)
    assert path.read_text() == text()
    assert [each.name for each in tmp_path.iterdir()] == ["c.toml"]


def test_a_file_is_replaced_at_once_through_a_link_with_its_mode(tmp_path: Path):
    path, link = tmp_path / "c.toml", tmp_path / "link.toml"
    path.write_text(text())
    path.chmod(0o600)
    link.symlink_to(path)
    changed = write_crops(link, {FRONT: (8, 16, 96, 96)}, (64, 64))
    assert '+"observation.images.front" = [8, 16, 96, 96]' in changed
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o600
    assert load(path).env.processor.image_preprocessing.resize_size == (64, 64)
    assert write_crops(path, {FRONT: (8, 16, 96, 96)}, (64, 64)) == []
