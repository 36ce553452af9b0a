"""Where keys stand, whatever TOML is written around them."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workers.config.lines import KeyPath, key_lines, line_of

TRICKY = '''\
title = "a # no comment, [no.table]"   # a comment with key = 1
text = """
[not.a.table]
key = "no"
"""
raw = \'\'\'
x = 1\'\'\'
[server . "host.name"]
ports = [ 1, 2, # a = 3
  3, { inside = 4 } ]
at = { x = 1, y = { z = 2 } }
deep.er.key = 1979-05-27T07:32:00Z

[[list]]
name = 'first'
[list.sub]
name = "second \\" quote"
'''


def paths_of(table: dict[str, Any], at: KeyPath = ()) -> list[KeyPath]:
    found: list[KeyPath] = []
    for key, value in table.items():
        found.append((*at, key))
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                found += paths_of(one, (*at, key))
    return found


def test_strings_comments_arrays_and_dotted_keys_do_not_mislead() -> None:
    lines = key_lines(TRICKY)
    assert lines[("title",)] == 1
    assert lines[("raw",)] == 6
    assert lines[("server", "host.name")] == 8
    assert lines[("server", "host.name", "at", "y", "z")] == 11
    assert lines[("server", "host.name", "deep", "er", "key")] == 12
    assert lines[("list", "name")] == 15
    assert lines[("list", "sub", "name")] == 17
    assert ("key",) not in lines and ("not", "a", "table") not in lines


def test_every_key_tomllib_finds_has_a_line() -> None:
    assert set(paths_of(tomllib.loads(TRICKY))) <= set(key_lines(TRICKY))


def test_the_own_header_of_a_table_counts_before_a_header_inside_it() -> None:
    assert key_lines("[a.b]\n[a]\n")[("a",)] == 2


def test_a_key_that_is_missing_stands_where_its_table_does() -> None:
    lines = key_lines("x = 1\n[a.b]\ny = 1\n")
    assert line_of(lines, ("a", "b", "z")) == 2
    assert line_of(lines, ("q",)) == 1


names = st.text("abcxyz_-019", min_size=1, max_size=5)
values = st.sampled_from(
    ['"a = 1"', "'[b]'", "[1,\n 2]", "{ q = 1 }", '"""\nk = 1\n"""', "1 # c = 2", "true", "''"]
)


@given(st.dictionaries(names, st.dictionaries(names, values, max_size=4), max_size=4))
def test_each_line_noted_holds_its_key(tables: dict[str, dict[str, str]]) -> None:
    text = ""
    expected = {}
    for table, pairs in tables.items():
        text += f"\n[{table}]\n"
        for key, value in pairs.items():
            expected[(table, key)] = text.count("\n") + 1
            text += f"{key} = {value}\n"
    lines = key_lines(text)
    assert {path: lines[path] for path in expected} == expected
    assert set(paths_of(tomllib.loads(text))) <= set(lines)
