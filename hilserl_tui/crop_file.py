"""The configuration that the Crop screen begins with and writes into."""

from dataclasses import replace
from pathlib import Path

from hilserl_tui.crop_choice import Choice
from hilserl_tui.roi import Rect
from workers.config import load
from workers.config.crops import (
    DEFAULT_SIZE,
    check_pictures,
    difference,
    tutorial_lines,
    with_crops,
    write_crops,
)
from workers.config.env import IMAGE_PREFIX
from workers.config.load import read_text


class CropFile:
    """A TOML file. Every method raises ConfigError when it cannot be read, changed or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def choice(self, cameras: tuple[str, ...]) -> Choice:
        """What the file has for these cameras."""
        pictures = load(self.path).env.processor.image_preprocessing
        crops = {
            key.removeprefix(IMAGE_PREFIX): Rect(*crop) for key, crop in pictures.crop_params_dict.items()
        }
        return replace(
            Choice(cameras=cameras),
            crops={camera: crops[camera] for camera in cameras if camera in crops},
            size=pictures.resize_size or DEFAULT_SIZE,
        )

    def check(self, choice: Choice) -> None:
        """Raise NoCrop where the pictures that were seen are not those of the file's cameras."""
        check_pictures(load(self.path), {IMAGE_PREFIX + name: size for name, size in choice.pictures.items()})

    def difference(self, choice: Choice) -> list[str]:
        """What would change, line by line."""
        before = read_text(self.path)
        after = with_crops(before, str(self.path), choice.by_key(), choice.size)
        return difference(before, after, self.path.name)

    def write(self, choice: Choice) -> None:
        """Set the crops and the size; comments stay."""
        write_crops(self.path, choice.by_key(), choice.size)

    def lines(self, choice: Choice) -> str:
        """As LeRobot's tool prints the crops."""
        return tutorial_lines(choice.by_key())
