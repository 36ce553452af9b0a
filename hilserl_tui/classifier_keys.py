"""The keys of the Classifier screen: bindings, footer and help are made from this table."""

from textual.binding import Binding

from hilserl_tui.keymap import Group, Key, bindings_of, footer_entry, pair

# fmt: off
CLASSIFIER_KEYS: tuple[Key, ...] = (
    Key("classifier-train", "enter", "begin", "Train", "train the classifier, or train it again", Group.CLASSIFIER),
    Key("classifier-stop", "k", "end", "End", "end the training after this epoch; again: at once", Group.CLASSIFIER),
    Key("classifier-next", "full_stop", "look(1)", "Next", "the next of the worst errors", Group.CLASSIFIER, "."),
    Key("classifier-previous", "comma", "look(-1)", "Previous", "the error before this one", Group.CLASSIFIER, ","),
    Key("classifier-relabel", "l", "relabel", "Relabel", "give the frame the other label, or back", Group.CLASSIFIER),
    Key("classifier-camera", "tab", "camera", "Camera", "the other cameras' pictures", Group.CLASSIFIER),
    Key("classifier-more", "m", "more", "More", "the next part of the report first", Group.CLASSIFIER),
)
# fmt: on
_BY_ID = {key.id: key for key in CLASSIFIER_KEYS}


def bindings() -> list[Binding]:
    return bindings_of(CLASSIFIER_KEYS)


def classifier_footer(training: bool, errors: bool, report: bool) -> tuple[tuple[str, str, str], ...]:
    """(id, caption, label) of the keys that do something now, the arm's stop first."""
    first = _entry("classifier-stop") if training else _entry("classifier-train")
    looking = (("classifier-look", _turn(), "Error"), _entry("classifier-relabel")) if errors else ()
    more = (_entry("classifier-more"),) if report else ()
    camera = (_entry("classifier-camera"),) if errors else ()
    last = (footer_entry("home"), footer_entry("help"), footer_entry("quit"))
    return (footer_entry("stop"), first, *looking, *more, *camera, *last)


def caption(name: str) -> str:
    """How a key is printed, by its id."""
    return _BY_ID[name].caption


def _turn() -> str:
    return pair(_BY_ID["classifier-previous"], _BY_ID["classifier-next"])


def _entry(name: str) -> tuple[str, str, str]:
    key = _BY_ID[name]
    return name, key.caption, key.label
