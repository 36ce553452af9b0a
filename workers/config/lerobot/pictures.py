"""Cameras, crops and sizes. LeRobot's OpenCV cameras are taken; where it names none, the simulator's views stand in."""

import re
from collections.abc import Iterable
from typing import Any

from workers.config.dump import toml
from workers.config.env import IMAGE_PREFIX
from workers.config.lerobot.draft import Draft, Fate
from workers.config.lines import KeyPath, dotted

LEROBOT_SIZE = {"width": 640, "height": 480}
"""What LeRobot's cameras nearly always are; its files may leave it to the camera."""
LEROBOT_FPS = 30
UNKNOWN_DEVICE = "unknown: hilserl-worker find-cameras prints it"
"""Stands for a camera that LeRobot reaches otherwise than through OpenCV."""
VIEWS = ("front", "side", "wrist")
CAMERAS = ("env", "robot", "cameras")
PICTURES = ("env", "processor", "image_preprocessing")
CROPS = (*PICTURES, "crop_params_dict")
SIZE = (*PICTURES, "resize_size")
FEATURES = (
    ("policy", "input_features"),
    ("reward_model", "input_features"),
    ("env", "features"),
)


def take_pictures(draft: Draft) -> None:
    """Cameras with their size and rate, crops, and the common size."""
    given = draft.get(*CAMERAS)
    wanted = given if isinstance(given, dict) else {}
    names = plain_names(wanted or _cropped(draft) or _features(draft))
    if names:
        _take_cameras(draft, names)
    _take_crops(draft, names)
    _take_size(draft, bool(names))


def _take_cameras(draft: Draft, names: dict[str, str]) -> None:
    base, fps = draft.table["env"]["robot"]["cameras"], draft.table["env"]["fps"]
    fps = fps if isinstance(fps, int | float) else 0.0  # refused when all is put together
    rate = max(fps, *(camera["fps"] for camera in base.values()))
    draft.put(CAMERAS, {})
    for (name, here), view in zip(names.items(), views_for(list(names.values())), strict=True):
        target, source = (*CAMERAS, here), (*CAMERAS, name)
        if draft.get(*source) is None:
            own_view = {} if view == here else {"view": view}
            draft.put(target, {"type": "sim", **own_view, **LEROBOT_SIZE, "fps": rate})
        else:
            _take_real(draft, source, target, max(fps, LEROBOT_FPS))
        for key in ("width", "height"):
            draft.take((*source, key), (*target, key))
        _take_rate(draft, source, target, fps)


def _take_real(draft: Draft, source: KeyPath, target: KeyPath, rate: float) -> None:
    """A camera of LeRobot's, which is real; one of another kind can be an OpenCV camera too, once its path is known."""
    kind, device = draft.get(*source, "type"), draft.get(*source, "index_or_path")
    draft.put(target, {"type": "opencv", "index_or_path": UNKNOWN_DEVICE, **LEROBOT_SIZE, "fps": rate})
    if kind == "opencv":
        draft.take((*source, "type"), (*target, "type"))
    else:
        text = "no driver; most show as an OpenCV camera too: hilserl-worker find-cameras prints its index_or_path"
        draft.say((*source, "type"), Fate.NO_COUNTERPART, text)
    may_move = isinstance(device, int) or str(device).startswith("/dev/video")
    lasting = "its number may change at a reboot: hilserl-worker find-cameras prints a name that stays"
    draft.take((*source, "index_or_path"), (*target, "index_or_path"), lasting if may_move else "")
    draft.take((*source, "fourcc"), (*target, "fourcc"))
    draft.take((*source, "rotation"), (*target, "rotation"))
    if draft.get(*source, "color_mode") in ("bgr", "BGR"):
        draft.say((*source, "color_mode"), Fate.NO_COUNTERPART, "pictures are RGB")


def _take_rate(draft: Draft, source: KeyPath, target: KeyPath, fps: float) -> None:
    given = draft.get(*source, "fps")
    if isinstance(given, int | float) and 0 < given < fps:
        text = f"{given:g} is below env.fps: {fps:g}, so that no picture is used twice"
        draft.put((*target, "fps"), fps)
        draft.say((*source, "fps"), Fate.DERIVED, text)
    else:
        draft.take((*source, "fps"), (*target, "fps"))


def _take_crops(draft: Draft, names: dict[str, str]) -> None:
    crops = draft.get(*CROPS)
    if not isinstance(crops, dict):
        draft.take(CROPS, CROPS)
        return
    draft.say(CROPS, Fate.DEFAULT, "no crops")
    cameras = draft.table["env"]["robot"]["cameras"]
    taken = {}
    for key, crop in crops.items():
        name = key.removeprefix(IMAGE_PREFIX)
        name = names.get(name, name)
        if name not in cameras or not key.startswith(IMAGE_PREFIX):
            draft.say((*CROPS, key), Fate.DEAD, f"no camera of that name, there are {', '.join(cameras)}")
            continue
        here = (*CROPS, IMAGE_PREFIX + name)
        taken[here[-1]] = crop
        draft.say((*CROPS, key), Fate.TAKEN, dotted(here), here)
    draft.put(CROPS, taken)


def _take_size(draft: Draft, own_cameras: bool) -> None:
    """The common size; without one, where pictures are as big as LeRobot's cameras, that of the base."""
    shapes = list(_features(draft).values())
    if draft.get(*SIZE) is not None:
        draft.take(SIZE, SIZE)
    elif shapes and shapes == [shapes[0]] * len(shapes):
        draft.put(SIZE, shapes[0][1:])
        draft.say(SIZE, Fate.DERIVED, "from the shapes of the features")
    elif own_cameras:
        stays = toml(draft.table["env"]["processor"]["image_preprocessing"]["resize_size"])
        draft.say(SIZE, Fate.DERIVED, f"pictures need a size that the networks can take: {stays}")
    else:
        draft.take(SIZE, SIZE)


def _cropped(draft: Draft) -> list[str]:
    crops = draft.get(*CROPS)
    keys = crops if isinstance(crops, dict) else {}
    return [key.removeprefix(IMAGE_PREFIX) for key in keys if key.startswith(IMAGE_PREFIX)]


def _features(draft: Draft) -> dict[str, list[int]]:
    """Shapes [channels, height, width] by camera, as policy, classifier or environment have them."""
    for path in FEATURES:
        found = draft.get(*path)
        shapes = {
            key.removeprefix(IMAGE_PREFIX): feature["shape"]
            for key, feature in (found if isinstance(found, dict) else {}).items()
            if key.startswith(IMAGE_PREFIX) and isinstance(feature, dict) and _is_shape(feature.get("shape"))
        }
        if shapes:
            return shapes
    return {}


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(isinstance(side, int) for side in value)


def views_for(names: list[str]) -> list[str]:
    """The simulator's view for each camera: of the same name, one its name hints at, or one that is left."""
    hinted = [next((view for view in VIEWS if view in name.lower()), None) for name in names]
    left = [view for view in VIEWS if view not in hinted]
    return [view or (left.pop(0) if left else VIEWS[0]) for view in hinted]


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """Cameras' names with the letters that names have here, each its own."""
    made: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)[:28]
        plain = plain if plain[:1].isalpha() else f"c{plain}"
        others = [other for other in made.values() if other.startswith(plain)]
        made[name] = f"{plain}_{len(others) + 1}" if plain in others else plain
    return made
