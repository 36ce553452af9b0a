"""The schema as JSON Schema (draft 2020-12), by which editors complete, check and explain a configuration."""

import json
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from workers.config.expected import expected
from workers.config.keys import default_of, documentation, inner_section, schema_keys
from workers.config.schema import Config
from workers.config.values import Section

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "hilserl-tui configuration"


def json_schema() -> dict[str, Any]:
    """One definition a section, each key with its documentation and default."""
    (root,), definitions = msgspec.json.schema_components([Config], ref_template="#/$defs/{name}")
    for section in _sections():
        definition = definitions[section.__name__]
        definition.pop("title", None)
        properties = definition["properties"]
        for field in msgspec.structs.fields(section):
            properties[field.encode_name] = _property(properties[field.encode_name], section, field)
    return {"$schema": DRAFT, "title": TITLE, **root, "$defs": dict(sorted(definitions.items()))}


def text() -> str:
    """The JSON Schema as a file has it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _property(made: dict[str, Any], section: type[Section], field: FieldInfo) -> dict[str, Any]:
    """One key. TOML has no null: what may be absent is not offered as null."""
    made = {name: value for name, value in made.items() if name not in ("default", "description")}
    kinds = [kind for kind in made.pop("anyOf", []) if kind != {"type": "null"}]
    if kinds:
        made |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if "enum" in made:
        made["enum"] = [value for value in made["enum"] if value is not None]
    told = documentation(section)[field.name]
    if "pattern" in made:
        told += f" It must be {expected(msgspec.inspect.type_info(field.type))}."
    default = default_of(field)
    if inner_section(field.type)[0] is None and default not in (None, msgspec.NODEFAULT):
        made["default"] = msgspec.to_builtins(default)
    return {**made, "description": told}


def _sections() -> list[type[Section]]:
    inside = [key.section for key in schema_keys() if key.section is not None]
    return list(dict.fromkeys([Config, *inside]))
