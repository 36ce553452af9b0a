"""`*_network_kwargs`: the shape of a fully connected network, wherever [policy] or [algorithm] has one."""

from typing import Annotated

import msgspec

from workers.config.values import Section

Width = Annotated[int, msgspec.Meta(ge=1, le=8192)]


class NetworkConfig(Section, frozen=True, kw_only=True):
    hidden_dims: Annotated[tuple[Width, ...], msgspec.Meta(min_length=1, max_length=8)] = (256, 256)
    """Width of each hidden layer; every one is followed by LayerNorm and SiLU."""
