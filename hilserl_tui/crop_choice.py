"""What the Crop screen has chosen so far, and what each key makes of it. Pure."""

from dataclasses import dataclass, field, replace
from typing import Self

from hilserl_tui.roi import ZOOMS, Rect, Size, inside, moved, sized, squared, zoomed
from workers.config.crops import DEFAULT_SIZE
from workers.config.env import IMAGE_PREFIX
from workers.model.commands import Look
from workers.model.events import Looked

SIZES = ((128, 128), (64, 64), (96, 96), (224, 224))
"""What one key goes through; any other is typed."""
STEPS = (1, 10)


@dataclass(frozen=True, slots=True)
class Choice:
    """Crops of all cameras, and how the picture of one of them is looked at."""

    cameras: tuple[str, ...] = ()
    crops: dict[str, Rect] = field(default_factory=dict)
    """By camera; one without keeps its whole picture."""
    size: tuple[int, int] = DEFAULT_SIZE
    """Height and width of the policy's pictures."""
    pictures: dict[str, Size] = field(default_factory=dict)
    """How large the cameras' pictures are, as far as they were seen."""
    at: int = 0
    square: bool = False
    sizing: bool = False
    """Arrows move the lower right corner, in place of the whole crop."""
    step: int = 1
    zoom: int = 0
    centre: tuple[int, int] = (0, 0)
    """Row and column that the view is about when it is zoomed."""
    hold: bool = False
    episode: int = 0
    frame: int = 0

    @property
    def camera(self) -> str:
        return self.cameras[self.at] if self.cameras else ""

    @property
    def picture(self) -> Size | None:
        return self.pictures.get(self.camera)

    @property
    def crop(self) -> Rect | None:
        """Of the camera that is looked at, inside its picture; None before the first picture."""
        if self.picture is None:
            return None
        return inside(self.crops.get(self.camera, self.picture.whole), self.picture)

    def by_key(self) -> dict[str, tuple[int, int, int, int]]:
        """The crops as the configuration has them, brought into their pictures."""
        found: dict[str, tuple[int, int, int, int]] = {}
        for camera in self.cameras:
            if camera in self.crops:
                picture = self.pictures.get(camera)
                crop = self.crops[camera]
                found[IMAGE_PREFIX + camera] = inside(crop, picture) if picture else crop
        return found

    # --- looking ----------------------------------------------------------------------------------------

    def look(self, number: int, room: tuple[int, int]) -> Look:
        """What is to be shown now; `room` is (height, width) in pixels of the screen."""
        part = None
        if self.zoom and self.picture is not None:
            part = zoomed(self.picture, ZOOMS[self.zoom], *self.centre)
        crop = self.crop if self.camera in self.crops else None
        return Look(
            number,
            self.camera,
            part,
            room,
            crop,
            self.size,
            self.hold,
            self.episode,
            self.frame,
        )

    def seen(self, answer: Looked) -> Self:
        """With what an answer tells: the size of the picture, and where in the dataset it is from."""
        size = Size(answer.height, answer.width)
        pictures = self.pictures
        if pictures.get(answer.camera) != size:
            pictures = {**pictures, answer.camera: size}
        return replace(self, pictures=pictures, episode=answer.episode, frame=answer.frame)

    def zoomed(self, by: int, centre: tuple[int, int] | None = None) -> Self:
        """Nearer or further, about a pixel or, without one, the corner that the arrows move."""
        level = min(max(0, self.zoom + by), len(ZOOMS) - 1)
        return replace(self, zoom=level, centre=centre or self._corner())

    def _corner(self) -> tuple[int, int]:
        crop = self.crop
        if crop is None:
            return self.centre
        return (crop.bottom, crop.right) if self.sizing else (crop.top, crop.left)

    def other_camera(self, by: int) -> Self:
        at = (self.at + by) % max(1, len(self.cameras))
        return replace(self, at=at, zoom=0, hold=False)

    def turned(self, episodes: int, frames: int) -> Self:
        """Some episodes or frames on; the answer brings it into the dataset's range."""
        if episodes:
            return replace(self, episode=max(0, self.episode + episodes), frame=0)
        return replace(self, frame=max(0, self.frame + frames))

    # --- choosing ---------------------------------------------------------------------------------------

    def chosen(self, crop: Rect) -> Self:
        """With this crop of the camera that is looked at."""
        return replace(self, crops={**self.crops, self.camera: crop})

    def arrow(self, down: int, right: int, sizing: bool, step: int) -> Self:
        """The crop, or its lower right corner, `step` pixels on; a zoomed view goes along."""
        crop, picture = self.crop, self.picture
        if crop is None or picture is None:
            return self
        if sizing:
            crop = sized(crop, down * step, right * step, picture, self.square)
        else:
            crop = moved(crop, down * step, right * step, picture)
        after = replace(self.chosen(crop), sizing=sizing)
        return replace(after, centre=after._corner(), sizing=self.sizing)

    def locked(self) -> Self:
        """Square from now on, the crop at once; or free again."""
        after = replace(self, square=not self.square)
        if after.square and self.crop is not None and self.picture is not None:
            return after.chosen(squared(self.crop, self.picture))
        return after

    def other_size(self) -> Self:
        index = SIZES.index(self.size) + 1 if self.size in SIZES else 0
        return replace(self, size=SIZES[index % len(SIZES)])
