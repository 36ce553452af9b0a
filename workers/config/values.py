"""Ranges that several sections share, and the base of all sections."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

Above0 = Annotated[float, msgspec.Meta(gt=0.0)]
AtLeast0 = Annotated[float, msgspec.Meta(ge=0.0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
CountOr0 = Annotated[int, msgspec.Meta(ge=0)]
Vector3 = tuple[float, float, float]
Device = Annotated[
    str,
    msgspec.Meta(pattern=r"^(cpu|mps|cuda(:[0-9]+)?)$", description='"cpu", "cuda", "cuda:<n>" or "mps"'),
]

Problems = Iterator[tuple[tuple[str, ...], str]]
"""What is wrong in a section: path of the key from that section on, and the text for the operator."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration file: typed, immutable, documented field by field."""

    def problems(self) -> Problems:
        """What is wrong between fields that are fine one by one."""
        return iter(())
