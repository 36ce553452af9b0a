"""The schema is documented, complete and described in words."""

import ast
import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import workers
import workers.config
from workers.config import Config
from workers.config.expected import expected
from workers.config.nearest import nearest
from workers.config.values import Section


def sections(kind: type[Section]) -> Iterator[type[Section]]:
    yield kind
    for field in msgspec.structs.fields(kind):
        for inner in parts(field.type):
            yield from sections(inner)


def parts(kind: Any) -> Iterator[type[Section]]:
    if inspect.isclass(kind) and issubclass(kind, Section):
        yield kind
    for one in get_args(kind):
        yield from parts(one)


ALL = list(dict.fromkeys(sections(Config)))


@pytest.mark.parametrize("section", ALL, ids=lambda section: section.__name__)
def test_every_field_has_a_line_of_documentation(section: type[Section]) -> None:
    body = ast.parse(inspect.getsource(section)).body[0]
    assert isinstance(body, ast.ClassDef)
    documented = {
        field.target.id
        for field, text in itertools.pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and str(text.value.value).rstrip().endswith(".")
    }
    assert documented == {field.name for field in msgspec.structs.fields(section)}


def attributes_read(node: ast.AST) -> Iterator[str]:
    """Names behind a dot, but for those that only the cross-checks of the schema look at."""
    if isinstance(node, ast.FunctionDef) and node.name.endswith("problems"):
        return
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield node.attr
    for inner in ast.iter_child_nodes(node):
        yield from attributes_read(inner)


def test_every_key_is_read_by_a_worker() -> None:
    files = Path(workers.__file__).parent.rglob("*.py")
    read = {name for file in files for name in attributes_read(ast.parse(file.read_text()))}
    keys = {
        field.name for section in ALL if section is not Config for field in msgspec.structs.fields(section)
    }
    assert keys - read == set()


@pytest.mark.parametrize("section", ALL, ids=lambda section: section.__name__)
def test_every_field_can_be_described(section: type[Section]) -> None:
    for field in msgspec.structs.fields(section):
        assert expected(msgspec.inspect.type_info(field.type))


@pytest.mark.parametrize("section", ALL, ids=lambda section: section.__name__)
def test_sections_are_immutable(section: type[Section]) -> None:
    assert section.__struct_config__.frozen
    assert section.__struct_config__.forbid_unknown_fields


def test_one_file_a_section_of_the_document() -> None:
    folder = Path(workers.config.__file__).parent
    tables = {field.name for field in msgspec.structs.fields(Config)} - {"schema_version", "mode", "device"}
    assert tables <= {file.stem for file in folder.glob("*.py")}


def test_every_key_of_the_schema_is_its_own_nearest() -> None:
    for section in ALL:
        names = [field.name for field in msgspec.structs.fields(section)]
        assert [nearest(name, names) for name in names] == names


def test_case_and_dashes_do_not_hide_a_key() -> None:
    assert nearest("Batch-Size", ["batch_size", "discount"]) == "batch_size"


def test_a_configuration_survives_being_written_and_read() -> None:
    config = workers.config.load("configs/sim_pick_lift.toml")
    assert msgspec.json.decode(msgspec.json.encode(config), type=Config) == config
