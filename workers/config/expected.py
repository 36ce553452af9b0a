"""Says in words what a field accepts, from its type."""

import msgspec
from msgspec import inspect


def expected(kind: inspect.Type) -> str:
    """What a value of `kind` looks like, as the end of the sentence "must be ..."."""
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return str(extra["description"]) if extra and "description" in extra else expected(inner)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number" + _range(kind)
        case inspect.FloatType():
            return "a number" + _range(kind)
        case inspect.StrType():
            return "text in quotes" + (", not empty" if kind.min_length else "")
        case inspect.LiteralType(values=values):
            words = [f'"{value}"' if isinstance(value, str) else str(value) for value in values]
            return words[0] if len(words) == 1 else "one of " + ", ".join(words)
        case inspect.TupleType(item_types=items):
            return f"a list of {len(items)} values, each {expected(items[0])}"
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return f"a list of {least or 0} to {most} values, each {expected(item)}"
        case inspect.UnionType(types=types):
            return " or ".join(expected(one) for one in types if not isinstance(one, inspect.NoneType))
        case inspect.StructType(fields=fields):
            return "a table with the keys " + ", ".join(field.encode_name for field in fields)
        case inspect.DictType(min_length=least):
            return "a table" + (" with at least one entry" if least else "")
    raise TypeError(f"the schema uses a type without words for it: {kind}")


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    words = []
    if kind.multiple_of == 2:
        words.append("even")
    if kind.gt is not None:
        words.append(f"above {kind.gt:g}")
    if kind.ge is not None:
        words.append(f"at least {kind.ge:g}")
    if kind.lt is not None:
        words.append(f"below {kind.lt:g}")
    if kind.le is not None:
        words.append(f"at most {kind.le:g}")
    return f" ({', '.join(words)})" if words else ""


def shown(value: object) -> str:
    """`value` as the user's TOML has it, short enough for a message."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = msgspec.json.encode(value).decode()
        case dict():
            return "a table"
        case list():
            text = "[" + ", ".join(shown(one) for one in value) + "]"
        case _:
            text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
