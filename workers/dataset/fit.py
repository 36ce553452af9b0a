"""Whether a dataset can feed a run: what differs, and what to do about it, before anything has moved."""

from collections.abc import Iterable, Iterator

from workers.config import Config, DatasetConfig
from workers.config.lines import KeyPath
from workers.dataset.difference import Difference
from workers.dataset.layout import Column, Info
from workers.dataset.notes import Crops
from workers.dataset.states import ArmStates, GymnasiumStates, StateSource
from workers.processors.build import Pipelines
from workers.processors.features import ACTION, IMAGES, REWARD, STATE, pictures
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.transition import Picture
from workers.processors.vanilla_observation import PIXELS


class PictureFit:
    """How the pictures of a dataset become those of the run: as they are, or cut as the live ones are."""

    def __init__(self, config: Config, pipelines: Pipelines, info: Info, cut: Crops | None = None) -> None:
        """`cut`: what was cut out of the dataset's pictures already; None: not known."""
        self.cameras = tuple(pictures(pipelines.stored))
        self._pipelines, self._info, self._cut = pipelines, info, cut
        settings = config.env.processor.image_preprocessing
        self._crops, self._resize = settings.crop_params_dict, settings.resize_size
        self._cutter = ImageCropResizeProcessor(settings.crop_params_dict, settings.resize_size)
        self._as_they_are = {
            camera
            for camera in self.cameras
            if size_of(info.features.get(IMAGES + camera)) == self._wanted(camera)
        }

    def __call__(self, camera: str, picture: Picture) -> Picture:
        """The run's picture uint8 [height, width, 3] of one of the dataset."""
        return picture if camera in self._as_they_are else self._cutter.picture(IMAGES + camera, picture)

    def differences(self) -> Iterator[Difference]:
        """What keeps the pictures from being used."""
        for camera in self.cameras:
            key, column = IMAGES + camera, self._info.features.get(IMAGES + camera)
            wanted, size = self._wanted(camera), size_of(column)
            if column is None or size is None:
                held = ", ".join(name.removeprefix(IMAGES) for name in self._info.cameras) or "no pictures"
                there = "missing" if column is None else str(column)
                to_do = f"it has {held}: call the cameras in [env.robot.cameras] so, or record with this one"
                yield Difference(key, f"{_by(wanted)} picture", there, to_do)
            elif camera in self._as_they_are and self._cut is not None:
                yield from self._cut_otherwise(key, self._cut)
            elif camera not in self._as_they_are and (to_do := self._cannot_be_cut(camera, size)):
                yield Difference(key, f"{_by(wanted)} picture", f"{_by(size)} picture", to_do)

    def _cut_otherwise(self, key: str, cut: Crops) -> Iterator[Difference]:
        """Pictures of the policy's size that show another part of the scene than the live ones will."""
        here, there = self._crops.get(key), cut.get(key)
        if here == there:
            return
        to_do = f"set its crop to {list(there)}" if there else "take its crop out of crop_params_dict"
        yield Difference(
            key, _cut_in_words(here), _cut_in_words(there), f"{to_do}; or record again with this one"
        )

    def _cannot_be_cut(self, camera: str, size: tuple[int, int]) -> str:
        """What to do about pictures of `size` that neither are the run's nor become them, "" where they do."""
        if IMAGES + camera in self._crops:
            full = self._pipelines.raw_observation[f"{PIXELS}.{camera}"].shape[:2]
            if size == full:
                return ""
            return f"its crop is made for {_by(full)} pictures: give the crop for {_by(size)} ones, or record again"
        if self._resize is None:
            return f"set resize_size = [{size[0]}, {size[1]}] in [env.processor.image_preprocessing]"
        return ""

    def _wanted(self, camera: str) -> tuple[int, ...]:
        """(height, width) that the policy takes."""
        return self._pipelines.stored[IMAGES + camera].shape[:2]


def dataset_key(dataset: DatasetConfig) -> KeyPath:
    """The key that says which dataset is meant."""
    return ("dataset", "root" if dataset.root is not None else "repo_id")


def states_of(config: Config, info: Info) -> StateSource:
    """What reads the dataset's states; its `problem` says why it cannot. Raises UrdfError, FrameError."""
    if config.env.robot is None:
        from workers.processors.gymnasium_build import reader_of  # opens the environment

        reader = reader_of(config)
        return GymnasiumStates(reader.scale, len(reader.names), info)
    return ArmStates(config, info.features.get(STATE, Column("float32", (0,))))


def differences_of(
    config: Config, pipelines: Pipelines, info: Info, states: StateSource, views: PictureFit
) -> list[Difference]:
    """Everything that keeps the dataset that `info` describes from feeding the run; empty when nothing does."""
    return [*_rate(config, info), *_numbers(pipelines, info, states), *views.differences()]


def _rate(config: Config, info: Info) -> Iterator[Difference]:
    if info.fps != config.env.fps:
        to_do = f"set env.fps = {info.fps:g}, or record at {config.env.fps:g}"
        yield Difference("fps", f"{config.env.fps:g}", f"{info.fps:g}", to_do)


def _numbers(pipelines: Pipelines, info: Info, states: StateSource) -> Iterator[Difference]:
    action, column = pipelines.stored[ACTION], info.features.get(ACTION)
    if column is None or column.shape != action.shape:
        here = f"{action.shape[0]} numbers"
        to_do = "it holds other actions, of joints perhaps: record it with this program or LeRobot's gym_manipulator"
        if column is not None and _by_joints(column.names) != _by_joints(action.names):
            space = "joints" if _by_joints(column.names) else "end_effector"
            to_do = (
                f'to use it, set env.processor.action_space = "{space}"; or record with this run\'s actions'
            )
        elif column is not None and column.shape[0] == 3 and action.shape[0] == 4:
            to_do = "it was recorded without the gripper: set env.processor.gripper.use_gripper = false"
        elif column is not None and column.shape[0] == 4 and action.shape[0] == 3:
            to_do = "it was recorded with the gripper: set env.processor.gripper.use_gripper = true"
        yield Difference(ACTION, here, "missing" if column is None else f"{column.shape[0]} numbers", to_do)
    if states.problem:
        names = pipelines.stored[STATE].names
        to_do = "in [env.processor.observation], ask for what the dataset holds, and no more"
        yield Difference(
            STATE, f"{len(names)} numbers", states.problem if STATE in info.features else "missing", to_do
        )
    if REWARD not in info.features:
        yield Difference(
            REWARD, "number", "missing", "a dataset without rewards shows no success: record it again"
        )


def _by_joints(names: object) -> bool:
    """Whether the names of an action's numbers are those of joint deltas."""
    return any(str(name).endswith(".delta") for name in (names if isinstance(names, Iterable) else ()))


def size_of(column: Column | None) -> tuple[int, int] | None:
    """(height, width) of a column of pictures, whichever way round it is described; None for anything else."""
    if column is None or not column.is_picture or len(column.shape) != 3:
        return None
    names = tuple(column.names or ())
    channels_first = str(names[0]).startswith("channel") if len(names) == 3 else column.shape[2] != 3
    height, width = column.shape[1:] if channels_first else column.shape[:2]
    channels = column.shape[0] if channels_first else column.shape[2]
    return (height, width) if channels == 3 else None


def crops_in(config: Config, columns: Iterable[str]) -> Crops:
    """What the configuration cuts out of the pictures among these columns."""
    crops = config.env.processor.image_preprocessing.crop_params_dict
    return {key: crops[key] for key in columns if key in crops}


def _cut_in_words(crop: tuple[int, int, int, int] | None) -> str:
    return f"crop {list(crop)}" if crop else "whole picture"


def _by(size: tuple[int, ...]) -> str:
    return f"{size[0]}x{size[1]}"
