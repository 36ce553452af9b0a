"""Feature replay: of every stored frame what a frozen backbone makes of it, in place of its pictures.

The backbone, nearly all of an update's arithmetic, then runs once for each shift of a frame that is kept, when the
frame arrives, and never in an update. The shifts are drawn once too: DrQ with as many places as `views`.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.augment import draw_shifts, shift_into
from workers.learner.encoders import ObservationEncoder
from workers.learner.pictures import Pictures, Shifts, Slots, large
from workers.learner.staging import Staging, Turns
from workers.transport.record import FeatureSpec

ENCODED_AT_ONCE = 64
"""Frames in one pass of the backbone on a GPU. On a CPU it is one, which gives the same bits after a resume."""
_SHIFTS = 0xFEA7
"""Number of the stream of random numbers that shifts are drawn from."""


def feature_maps(
    encoder: ObservationEncoder,
    features: FeatureSpec,
    policy: PolicyConfig,
    algorithm: AlgorithmConfig,
    *,
    slots: int,
    seed: int,
    device: torch.device,
) -> Pictures | None:
    """The store that `policy.feature_replay` asks for, on `device`; None where pictures are to be kept."""
    if not (policy.feature_replay and features.cameras):
        return None
    if encoder.packed is None:
        encoder.pack()
    return FeatureMaps(
        encoder,
        features,
        slots,
        views=policy.feature_replay,
        random_shift_px=algorithm.random_shift_px,
        shifts_rng=np.random.default_rng([seed, _SHIFTS]),
        device=device,
        at_once=ENCODED_AT_ONCE if encoder.device.type == "cuda" else 1,
    )


class FeatureMaps:
    """`views` feature maps of `slots` observations each, in half precision; `Pictures` to the replay.

    The same frames in the same order get the same shifts. The encoder's backbone never changes.
    """

    def __init__(
        self,
        encoder: ObservationEncoder,
        features: FeatureSpec,
        slots: int,
        *,
        views: int,
        random_shift_px: int,
        shifts_rng: np.random.Generator,
        device: torch.device,
        at_once: int = 1,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        """`at_once` is how many frames wait for one pass of the backbone, unless a batch is drawn before."""
        self._encoder = encoder
        self._views = views
        self._random_shift_px = random_shift_px
        self._shifts_rng = shifts_rng
        self._maps = _empty((slots * views, *encoder.maps_shape), dtype, device)
        self._places: dict[int, Staging] = {}
        self._batches: dict[int, Turns[Tensor]] = {}
        self._shifted = np.empty((at_once, views, *features.image_shape), np.uint8)
        self._waiting: list[int] = []
        """Slots whose frames are in `_shifted`, not encoded yet."""

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        """Take uint8 [cameras, H, W, 3] for `slot`, once for each view with a shift of its own."""
        if slot in self._waiting:
            self._encode_waiting()
        views = self._shifted[len(self._waiting)]
        shifts = draw_shifts(self._views, self._random_shift_px, self._shifts_rng).tolist()
        for view, (down, right) in zip(views, shifts, strict=True):
            shift_into(view, images, down, right)
        self._waiting.append(slot)
        if len(self._waiting) == len(self._shifted):
            self._encode_waiting()

    def draw(self, count: int, random_shift_px: int, rng: np.random.Generator) -> Shifts:
        """One of the views for each of `count` rows, int64 [count, 1]; they have their shifts already."""
        return rng.integers(0, self._views, (count, 1))

    def gather(self, slots: Slots, shifts: Shifts) -> Tensor:
        """The maps at `slots` of the views that `draw` gave, float16 [B, heads, h, w, C]."""
        self._encode_waiting()
        size, device = len(slots), self._maps.device
        if size not in self._places:
            self._places[size] = Staging((size,), torch.int64, device)
            shape = (size, *self._maps.shape[1:])
            self._batches[size] = Turns(
                lambda: torch.empty(shape, dtype=self._maps.dtype, device=device), device
            )
        self._places[size].place()[:] = slots * self._views + shifts[:, 0]
        return torch.index_select(self._maps, 0, self._places[size].send(), out=self._batches[size].next())

    def _encode_waiting(self) -> None:
        if not self._waiting:
            return
        images = torch.from_numpy(self._shifted[: len(self._waiting)]).flatten(0, 1)
        maps = self._encoder.features(images.to(self._encoder.device))
        largest = torch.finfo(self._maps.dtype).max  # an infinity would spoil every batch it is drawn into
        whole = maps.float().clamp(-largest, largest).to(self._maps.device, self._maps.dtype)
        for place, slot in enumerate(self._waiting):
            rows = slice(place * self._views, (place + 1) * self._views)
            self._maps[slot * self._views : (slot + 1) * self._views] = whole[rows]
        self._waiting.clear()


def _empty(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Memory on `device`; of main memory touched only as it is used."""
    if device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    row_bytes = dtype.itemsize * torch.Size(shape[1:]).numel()
    return torch.from_numpy(large((shape[0], row_bytes))).view(dtype).view(shape)
