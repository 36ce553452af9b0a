"""The keys of the Evaluate screen: bindings, footer and help are made from this table."""

from textual.binding import Binding

from hilserl_tui.keymap import Group, Key, bindings_of

EVALUATE_KEYS: tuple[Key, ...] = (
    Key("results-older", "comma", "look(1)", "Older", "the result before this one", Group.EVALUATE, ","),
    Key("results-newer", "full_stop", "look(-1)", "Newer", "the result after this one", Group.EVALUATE, "."),
)
BOTH = (", .", "Results")
"""Caption and label of the two in the footer."""


def bindings() -> list[Binding]:
    return bindings_of(EVALUATE_KEYS)
