"""Palette: Textual's, but for a page key before its list was laid out, which would end the console."""

import contextlib

from textual.command import CommandPalette


class Palette(CommandPalette):
    """`_action_command_list` is Textual's own name (8.2.8): what it does to its list for a key."""

    def _action_command_list(self, action: str) -> None:
        with contextlib.suppress(KeyError):  # the line of an option that has none yet
            super()._action_command_list(action)
