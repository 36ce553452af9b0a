"""The keys of the Evaluate screen: bindings, footer and help are made from this table."""

from textual.binding import Binding

from hilserl_tui.keymap import Group, Key, bindings_of, pair

GO_ON, OLDER, NEWER = EVALUATE_KEYS = (
    Key(
        "evaluation-go-on", "i", "go_on", "Continue", "make the trials that one cut off lacks", Group.EVALUATE
    ),
    Key("results-older", "comma", "look(1)", "Older", "the result before this one", Group.EVALUATE, ","),
    Key("results-newer", "full_stop", "look(-1)", "Newer", "the result after this one", Group.EVALUATE, "."),
)


def both() -> tuple[str, str]:
    """Caption and label of the two that look through the results, in the footer."""
    return pair(OLDER, NEWER), "Results"


def bindings() -> list[Binding]:
    return bindings_of(EVALUATE_KEYS)
