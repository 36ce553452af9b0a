"""Checks a value against JSON Schema: the keywords that the configuration's schema uses, and no others."""

import re
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
}  # fmt: skip
KNOWN = {
    "type", "properties", "required", "additionalProperties", "enum", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "pattern", "minLength", "prefixItems", "items", "minItems", "maxItems",
    "propertyNames", "minProperties", "anyOf", "$ref",
}  # fmt: skip
SAID = {"$schema", "title", "$defs", "description", "default"}


def faults(schema: dict[str, Any], value: Any, root: dict[str, Any], at: str = "") -> list[str]:
    """What is wrong with `value`; raises AssertionError for a schema that says what this does not know."""
    assert schema.keys() <= KNOWN | SAID, schema.keys() - KNOWN - SAID
    if "$ref" in schema:
        return faults(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root, at)
    if "anyOf" in schema:
        return min((faults(one, value, root, at) for one in schema["anyOf"]), key=len)
    if "enum" in schema:
        fits = any(type(one) is type(value) and one == value for one in schema["enum"])
        return [] if fits else [f"{at}: {value!r}"]
    kind = TYPES[schema["type"]] if "type" in schema else object
    if not isinstance(value, kind) or (isinstance(value, bool) and kind not in (bool, object)):
        return [f"{at}: no {schema['type']}"]
    if isinstance(value, dict):
        return _of_object(schema, value, root, at)
    if isinstance(value, list):
        return _of_array(schema, value, root, at)
    return [f"{at}: {value!r}"] if _outside(schema, value) else []


def _of_object(schema: dict[str, Any], value: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    found = [f"{at}.{name}: missing" for name in schema.get("required", ()) if name not in value]
    found += [f"{at}: too few"] * (len(value) < schema.get("minProperties", 0))
    for name, inner in value.items():
        place = f"{at}.{name}"
        found += faults(schema["propertyNames"], name, root, place) if "propertyNames" in schema else []
        inside = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
        if inside is False:
            found.append(f"{place}: unknown")
        elif inside is not True:
            found += faults(inside, inner, root, place)
    return found


def _of_array(schema: dict[str, Any], value: list[Any], root: dict[str, Any], at: str) -> list[str]:
    found = [f"{at}: length"] * (
        not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1 << 30)
    )
    first = schema.get("prefixItems", [])
    for number, inner in enumerate(value):
        inside = first[number] if number < len(first) else schema.get("items", True)
        if inside is False:
            found.append(f"{at}[{number}]: too many")
        elif inside is not True:
            found += faults(inside, inner, root, f"{at}[{number}]")
    return found


def _outside(schema: dict[str, Any], value: Any) -> bool:
    if isinstance(value, str):
        return len(value) < schema.get("minLength", 0) or not re.search(schema.get("pattern", ""), value)
    return (
        value < schema.get("minimum", value)
        or value > schema.get("maximum", value)
        or ("exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"])
        or ("exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"])
        or ("multipleOf" in schema and value % schema["multipleOf"] != 0)
    )
