"""Palette: Textual's, but for a list of commands that is still empty, in which a page key would end the console."""

from textual.command import CommandList, CommandPalette


class Palette(CommandPalette):
    """`_action_command_list` is Textual's own name (8.2.8): what it does to its list for a key."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).option_count:
            super()._action_command_list(action)
