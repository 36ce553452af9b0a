"""What a wrong key was probably meant to be."""

import difflib
from collections.abc import Iterator, Sequence

from msgspec import inspect


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def nearest(wrong: str, valid: Sequence[str]) -> str | None:
    """The entry of `valid` that `wrong` is closest to, or None when nothing is close."""
    by_plain = {_plain(name): name for name in valid}
    found = difflib.get_close_matches(_plain(wrong), list(by_plain), n=1, cutoff=0.6)
    return by_plain[found[0]] if found else None


def places(name: str, root: inspect.Type, at: tuple[str, ...] = ()) -> Iterator[str]:
    """Dotted paths under which the schema does have a key `name`."""
    if isinstance(root, inspect.Metadata):
        yield from places(name, root.type, at)
    elif isinstance(root, inspect.DictType):
        yield from places(name, root.value_type, (*at, "<name>"))
    elif isinstance(root, inspect.UnionType):
        for one in root.types:
            yield from places(name, one, at)
    elif isinstance(root, inspect.StructType):
        for field in root.fields:
            path = (*at, field.encode_name)
            if field.encode_name == name:
                yield ".".join(path)
            yield from places(name, field.type, path)


def advice(wrong: str, valid: Sequence[str], root: inspect.Type) -> str:
    """Sentence that follows "unknown key": the nearest key here, the same key elsewhere, or the choice."""
    close = nearest(wrong, valid)
    if close is not None:
        return f'did you mean "{close}"?'
    elsewhere = list(places(wrong, root))
    if elsewhere:
        return f"it belongs to {' or '.join(elsewhere)}"
    return f"valid keys here: {', '.join(valid)}"
