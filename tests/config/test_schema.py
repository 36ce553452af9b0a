"""The schema is documented, complete and described in words."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import workers.config
from workers.config import Config
from workers.config.expected import expected
from workers.config.keys import documentation
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
    told = documentation(section)
    assert told.keys() == {field.name for field in msgspec.structs.fields(section)}
    assert all(text.endswith(".") for text in told.values())


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
