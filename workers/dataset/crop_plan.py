"""What `hilserl-worker crop` is asked for: a dataset, crops by key and a size, from the file and the command line."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workers.config import Config, ConfigError, DatasetConfig, load
from workers.config.crops import (
    DEFAULT_SIZE,
    Crop,
    NoCrop,
    Size,
    camera_key,
    check_crop,
    check_pictures,
    parse_crop,
    with_crops,
)
from workers.config.load import read_text
from workers.dataset.crop import picture_sizes
from workers.dataset.errors import DatasetError
from workers.dataset.layout import dataset_folder, episodes_in_words
from workers.dataset.reader import Dataset


@dataclass(frozen=True, slots=True)
class CropPlan:
    """`crops` has the cameras of the dataset that are cropped, by key."""

    config_path: Path
    config: Config
    dataset: Dataset
    crops: dict[str, Crop]
    size: Size

    def unwritable(self) -> str:
        """Why the configuration cannot have these crops, though the dataset can; "" where it can."""
        try:
            check_pictures(self.config, picture_sizes(self.dataset.info))
            with_crops(read_text(self.config_path), str(self.config_path), self.crops, self.size)
        except (ConfigError, NoCrop) as error:
            return str(error)
        return ""

    def summary(self, target: Path) -> str:
        info = self.dataset.info
        return (
            f"{episodes_in_words(info.total_episodes)}, {info.total_frames} frames, pictures of {self.size[0]} x"
            f" {self.size[1]} are in {target}"
        )


def plan_of(config_path: Path, dataset: str, asked: Iterable[str], size: Size | None) -> CropPlan:
    """Crops that are `asked` for, CAMERA=TOP,LEFT,HEIGHT,WIDTH, before those of the file.

    Those of the file are for what its cameras give: on other pictures they would be another part of the scene.
    Raises ConfigError, DatasetError, and NoCrop for a camera or a crop that cannot be.
    """
    config = load(config_path)
    opened = Dataset(folder_of(dataset))
    sizes = picture_sizes(opened.info)
    pictures = config.env.processor.image_preprocessing
    wanted = dict(_asked(words, sizes) for words in asked)
    crops = {
        key: crop for key, crop in pictures.crop_params_dict.items() if key in sizes.keys() - wanted.keys()
    }
    check_pictures(config, {key: sizes[key] for key in crops})
    crops |= wanted
    return CropPlan(config_path, config, opened, crops, size or pictures.resize_size or DEFAULT_SIZE)


def _asked(words: str, sizes: dict[str, Size]) -> tuple[str, Crop]:
    name, equals, numbers = words.partition("=")
    if not equals:
        raise NoCrop(f"--crop {words}: it must be CAMERA=TOP,LEFT,HEIGHT,WIDTH, like front=180,207,180,200")
    key, crop = camera_key(name.strip(), sizes), parse_crop(numbers)
    check_crop(name, crop, sizes[key])
    return key, crop


def folder_of(dataset: str) -> Path:
    """The folder of a dataset that is named by it, or by its id below LeRobot's own. Raises DatasetError."""
    folder = Path(dataset).expanduser()
    if folder.is_dir():
        return folder
    below = dataset_folder(DatasetConfig(repo_id=dataset)) if not folder.is_absolute() else folder
    if below.is_dir():
        return below
    places = dict.fromkeys([str(folder), str(below)])
    raise DatasetError(
        f"there is no dataset in {' or in '.join(places)}; name its folder, or download it first"
    )
