"""Configurations of every kind, drawn from the types of the schema and mended until nothing contradicts."""

from functools import cache
from typing import Any

import msgspec
from hypothesis import assume
from hypothesis import strategies as st
from msgspec import inspect

from workers.config import Config, load
from workers.config.decode import Decoder, Faulty
from workers.config.env import IMAGE_PREFIX

ROUNDS = 12
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def configs() -> st.SearchStrategy[Config]:
    return _configs()


@st.composite
def _configs(draw: st.DrawFn) -> Config:
    """Ready values with any keys replaced by anything their types allow; what contradicts is put back."""
    ready = msgspec.to_builtins(load("configs/sim_pick_lift.toml"))
    ready["env"]["processor"]["reward_classifier"] = {"pretrained_path": "simulated"}
    table = draw(_section(Config))
    _set(table, ("schema_version",), 2)
    env = table["env"]
    if env.get("type") == "gymnasium":
        env["id"] = draw(texts)
        env.pop("robot", None)
        env.get("processor", {}).pop("inverse_kinematics", None)
    else:
        env.setdefault("robot", ready["env"]["robot"])
        if draw(st.booleans()):
            _aim_crops(draw, table)
    for _ in range(ROUNDS):
        decoder = Decoder(Config)
        try:
            return decoder.document(table)
        except Faulty:
            for fault in decoder.faults:
                _put_back(table, ready, fault.path[:-1] if fault.path[-1] == "max" else fault.path)
                if fault.path[-1] in ("fps", "loop_hz", "control_time_s"):
                    env["fps"] = 10
    assume(False)
    raise AssertionError


def _aim_crops(draw: st.DrawFn, table: dict[str, Any]) -> None:
    """Crops that belong to the cameras there are, which chance would never find."""
    cameras = ((table.get("env") or {}).get("robot") or {}).get("cameras") or {}
    crops = {}
    for name, camera in cameras.items():
        height, width = camera.get("height", 128), camera.get("width", 128)
        size = draw(st.integers(8, height)), draw(st.integers(8, width))
        crops[IMAGE_PREFIX + name] = [
            draw(st.integers(0, height - size[0])), draw(st.integers(0, width - size[1])), *size
        ]  # fmt: skip
    _set(table, ("env", "processor", "image_preprocessing", "crop_params_dict"), crops)


def _put_back(table: dict[str, Any], ready: Any, path: tuple[str, ...]) -> None:
    """The ready configuration's value at `path`, or no value where it has none or has been tried."""
    there: Any = table
    for part in path:
        ready = ready.get(part) if isinstance(ready, dict) else None
        inside, there = there, there.get(part) if isinstance(there, dict) else None
    if ready is not None and ready != there:
        _set(table, path, ready)
    elif isinstance(inside, dict):
        inside.pop(path[-1], None)


def _set(table: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(table.get(part), dict):
            table[part] = {}
        table = table[part]
    table[path[-1]] = value


@cache
def _section(section: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    kind = inspect.type_info(section)
    assert isinstance(kind, inspect.StructType)
    required = {field.encode_name: values(field.type) for field in kind.fields if field.required}
    optional = {
        field.encode_name: values(_without_none(field.type)) for field in kind.fields if not field.required
    }
    return st.fixed_dictionaries(required, optional=optional)


def _without_none(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return inspect.UnionType(tuple(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    return kind


def values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Anything a key of this type accepts, as the TOML parser would have it."""
    match kind:
        case inspect.Metadata(type=inner):
            return values(inner)
        case inspect.StructType():
            return _section(kind.cls)
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=low, le=high, multiple_of=step):
            return st.integers(low, min(high, 2**62) if high is not None else 2**62).map(
                lambda found: found // (step or 1) * (step or 1)
            )
        case inspect.FloatType():
            low = kind.gt if kind.gt is not None else kind.ge
            high = kind.lt if kind.lt is not None else kind.le
            return st.floats(
                low, high, allow_nan=False, allow_infinity=False,
                exclude_min=kind.gt is not None, exclude_max=kind.lt is not None,
            )  # fmt: skip
        case inspect.StrType(pattern=pattern):
            return st.from_regex(pattern.removesuffix("$") + r"\Z") if pattern else texts
        case inspect.LiteralType(values=choice):
            return st.sampled_from(sorted(choice, key=str))
        case inspect.TupleType(item_types=items):
            return st.tuples(*map(values, items)).map(list)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return st.lists(values(item), min_size=least or 0, max_size=most)
        case inspect.UnionType(types=types):
            return st.one_of(*map(values, types))
        case inspect.DictType(key_type=key, value_type=value, min_length=least):
            return st.dictionaries(values(key), values(value), min_size=least or 0, max_size=3)
    raise TypeError(f"no values for {kind}")
