"""Words of a worker: readable, bearable, and never a command for a terminal."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.runtime.words import (
    AT_ONCE,
    LINES_PER_S,
    LOOKED_AT,
    Faucet,
    Printed,
    last_line,
    logged,
    readable,
)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("\x1b[1;31mred\x1b[0m alert", "red alert"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1bP1;2q\x1b\\text", "text"),
        ("\x1b(Btext\x1b=", "text"),
        ("50 %|####   | 3/6\t[00:01]", "50 %|####   | 3/6 [00:01]"),
        ("\x9b31mtext", "text"),
        ("half of one \x1b[3", "half of one 3"),
    ],
)
def test_escape_sequences_go_and_the_words_stay(raw: str, words: str) -> None:
    assert readable(raw) == words


@given(st.text(max_size=200))
def test_what_is_readable_commands_no_terminal(text: str) -> None:
    assert readable(text).isprintable()


def test_a_flood_is_held_back_and_counted() -> None:
    faucet = Faucet()
    assert sum(faucet.lets(10.0) for _ in range(1000)) == AT_ONCE
    assert faucet.take_held_back() == 1000 - AT_ONCE
    assert sum(faucet.lets(11.0) for _ in range(1000)) == LINES_PER_S


def test_what_is_printed_is_told_once_without_log_and_traceback(tmp_path: Path) -> None:
    path = tmp_path / "w.out"
    path.write_text("of an earlier life\n")
    printed = Printed(path)
    with path.open("a") as file:
        file.write(
            "libEGL warning: no driver\n2026-11-27 12:00:00,123 INFO logged\nTraceback (most recent call last):\n"
        )
        file.write('  File "x.py", line 1, in <module>\nValueError: no\nhalf of a ')
    assert printed.new_lines() == ["libEGL warning: no driver"]
    with path.open("a") as file:
        file.write("line\n")
    assert printed.new_lines() == ["half of a line"]
    assert printed.new_lines() == []


def test_of_a_flood_the_newest_part_is_read(tmp_path: Path) -> None:
    path = tmp_path / "w.out"
    printed = Printed(path)
    path.write_bytes(b"\x1b[2J" * LOOKED_AT + b"\nthe end\n")
    assert printed.new_lines() == ["the end"]
    assert printed.new_lines() == ["196 kB more were printed: all of it is in w.out"], "once it is over"
    assert printed.new_lines() == []


def test_the_last_line_of_a_large_file_is_found_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "w.out"
    path.write_bytes(b"x" * 1_000_000 + b"\nbad things: \x1b[31mmany\n\x1b[0m\n\n")
    assert last_line(path) == "bad things: many"
    assert last_line(tmp_path / "none") == ""


def test_what_was_sent_as_an_event_and_kept_in_the_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "robot.out"
    path.touch()
    printed = Printed(path)
    path.write_text(logged("warning", "elbow_flex is at 55 °C: warm", 1.7e9) + "\nwords of C code\n")
    assert printed.new_lines() == ["words of C code"]
