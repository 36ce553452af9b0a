"""Every key of the schema, with what it accepts, what it is without being given, and its documentation."""

import ast
import functools
import inspect
import itertools
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from workers.config.expected import expected
from workers.config.lines import KeyPath
from workers.config.schema import Config
from workers.config.values import Section

NAME = "<name>"
"""Stands in a path for a key that the user chooses, such as a camera's name."""


class Key(msgspec.Struct, frozen=True):
    """A key of the schema: a value, or a table with keys of its own."""

    path: KeyPath
    documentation: str
    kind: Any
    """Its type, as the section has it."""
    default: Any
    """What it is when it is not given; NODEFAULT when it must be."""
    section: type[Section] | None = None
    """For a table: the section in it."""
    named: bool = False
    """For a table: whether it holds such sections by names that the user chooses."""

    @property
    def required(self) -> bool:
        return self.default is msgspec.NODEFAULT

    @property
    def accepts(self) -> str:
        """What a value looks like, in words."""
        return expected(msgspec.inspect.type_info(self.kind))


@functools.cache
def schema_keys() -> tuple[Key, ...]:
    """Every key from the root on, tables before what is in them."""
    return tuple(_keys(Config, ()))


@functools.cache
def documentation(section: type[Section]) -> dict[str, str]:
    """What the source says of each key of a section: the string below it, on one line."""
    body = ast.parse(inspect.getsource(section)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in itertools.pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def inner_section(kind: Any) -> tuple[type[Section] | None, bool]:
    """The section that a field of type `kind` holds, if any, and whether it is a table of such by name."""
    if isinstance(kind, type) and issubclass(kind, Section):
        return kind, False
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is dict:
        return inner_section(inside[1])[0], True
    if origin is typing.Annotated:
        return inner_section(inside[0])
    found = [one for one in map(inner_section, inside) if one[0] is not None] if origin is not tuple else []
    return found[0] if found else (None, False)


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """What a field is when it is not given; NODEFAULT when it must be."""
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _keys(section: type[Section], at: KeyPath) -> Iterator[Key]:
    told = documentation(section)
    for field in msgspec.structs.fields(section):
        path = (*at, field.encode_name)
        inner, named = inner_section(field.type)
        yield Key(path, told[field.name], field.type, default_of(field), inner, named)
        if inner is not None:
            yield from _keys(inner, (*path, NAME) if named else path)
