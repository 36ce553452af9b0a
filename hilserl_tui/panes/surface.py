"""Surface: the base of panes that make their own lines, and what those stand on.

`rich_style` walks up to the app for every line that is drawn: an eighth of all that ten panes cost. It is the same
until a style changes on the way, which Textual counts; written against textual 8.2.8.
"""

from rich.style import Style
from textual.widget import Widget


class Surface(Widget):
    """A pane with lines of its own."""

    _ground_at: tuple[int, ...] = ()
    _ground = Style()

    @property
    def ground(self) -> Style:
        """Colours of this pane and of what lies below it: `rich_style`, computed again when any style has changed."""
        at = tuple(node.styles._cache_key for node in self.ancestors_with_self)
        if at != self._ground_at:
            self._ground_at, self._ground = at, self.rich_style
        return self._ground
