"""The keys of the Evaluate screen: bindings, footer and help are made from this table."""

from textual.binding import Binding

from hilserl_tui.keymap import Group, Key, bindings_of, pair

EVALUATE_KEYS: tuple[Key, ...] = (
    Key("results-older", "comma", "look(1)", "Older", "the result before this one", Group.EVALUATE, ","),
    Key("results-newer", "full_stop", "look(-1)", "Newer", "the result after this one", Group.EVALUATE, "."),
)


def both() -> tuple[str, str]:
    """Caption and label of the two in the footer."""
    return pair(*EVALUATE_KEYS), "Results"


def bindings() -> list[Binding]:
    return bindings_of(EVALUATE_KEYS)
