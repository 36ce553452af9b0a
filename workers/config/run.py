"""[run]: what a run is called and where its files go."""

from typing import Annotated

import msgspec

from workers.config.values import CountOr0, Section

RunName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit",
    ),
]


class RunConfig(Section, frozen=True, kw_only=True):
    name: RunName
    """Name of the run; its files go to `directory`/`name`, and starting it again goes on where it was."""
    directory: Annotated[str, msgspec.Meta(min_length=1)] = "runs"
    """Folder that holds all runs, relative to the folder the command is started in."""
    seed: CountOr0 = 1000
    """Start of every random sequence of the run: simulator, exploration, network weights, sampling."""
