"""Turns parsed TOML into the typed schema and collects everything that is wrong on the way."""

import math
import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from workers.config.expected import expected, shown
from workers.config.lines import KeyPath
from workers.config.nearest import advice, nearest
from workers.config.values import Section


class Fault(msgspec.Struct, frozen=True):
    """Something wrong with the value (or the absence of one) at `path`."""

    path: KeyPath
    text: str


class Faulty(Exception):
    """The value could not be made; why is among the decoder's faults."""


class Decoder:
    """Decodes one document against the section `root`; `faults` holds what was wrong with it."""

    def __init__(self, root: type[Section]) -> None:
        self.root = root
        self.faults: list[Fault] = []

    def document(self, table: dict[str, Any]) -> Any:
        """An instance of the root section; raises Faulty when there are faults."""
        return self._section(self.root, table, ())

    def _value(self, kind: Any, value: Any, at: KeyPath) -> Any:
        bare = _bare(kind)
        if isinstance(bare, type) and issubclass(bare, Section):
            return self._section(bare, value, at)
        if typing.get_origin(bare) is dict:
            return self._named(kind, value, at)
        return self._leaf(kind, value, at)

    def _section(self, kind: type[Section], value: Any, at: KeyPath) -> Section:
        if not isinstance(value, dict):
            raise self._wrong(kind, value, at)
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        before = len(self.faults)
        meant = self._refuse(value.keys() - fields.keys(), list(fields), at)
        made = {}
        for name, field in fields.items():
            try:
                if name in value:
                    made[field.name] = self._value(field.type, value[name], (*at, name))
                elif field.required and name not in meant:
                    wanted = expected(inspect.type_info(field.type))
                    raise self._fault((*at, name), f"missing; it must be {wanted}")
            except Faulty:
                continue
        if len(self.faults) > before:
            raise Faulty
        section = kind(**made)
        for path, text in section.problems():
            self._fault((*at, *path), text)
        if len(self.faults) > before:
            raise Faulty
        return section

    def _refuse(self, unknown: set[str], valid: list[str], at: KeyPath) -> set[str | None]:
        """Faults for keys that are not in the schema; returns those they were probably meant to be."""
        for key in unknown:
            text = advice(key, valid, inspect.type_info(self.root))
            self._fault((*at, key), f"unknown key; {text}")
        return {nearest(key, valid) for key in unknown}

    def _named(self, kind: Any, value: Any, at: KeyPath) -> Any:
        """A table whose keys the user chooses, such as the cameras."""
        if not isinstance(value, dict) or not value:
            return self._leaf(kind, value, at)
        key_kind, inner_kind = typing.get_args(_bare(kind))
        before = len(self.faults)
        made = {}
        for name, inner in value.items():
            try:
                made[self._leaf(key_kind, name, (*at, name))] = self._value(inner_kind, inner, (*at, name))
            except Faulty:
                continue
        if len(self.faults) > before:
            raise Faulty
        return made

    def _leaf(self, kind: Any, value: Any, at: KeyPath) -> Any:
        if not all(map(math.isfinite, _numbers(value))):
            raise self._wrong(kind, value, at)
        try:
            return msgspec.convert(value, kind, strict=True)
        except msgspec.ValidationError:
            raise self._wrong(kind, value, at) from None

    def _wrong(self, kind: Any, value: Any, at: KeyPath) -> Faulty:
        return self._fault(at, f"{shown(value)} found, but this must be {expected(inspect.type_info(kind))}")

    def _fault(self, path: KeyPath, text: str) -> Faulty:
        self.faults.append(Fault(path, text))
        return Faulty()


def _bare(kind: Any) -> Any:
    """`kind` without its `Annotated[...]`, and a section that may be missing without its `| None`."""
    if typing.get_origin(kind) is typing.Annotated:
        return typing.get_args(kind)[0]
    there = [one for one in typing.get_args(kind) if one is not types.NoneType]
    if len(there) == 1 and isinstance(there[0], type) and issubclass(there[0], Section):
        return there[0]
    return kind


def _numbers(value: Any) -> Iterator[float]:
    """The floats in a value; TOML has `inf` and `nan`, which no range check would catch."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _numbers(one)
