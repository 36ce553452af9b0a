import pytest

from hilserl_tui.pace import FAR_BYTES, FORGET_S, IN_FLIGHT, LAG_S, LEAST_BYTES, MUTE_AFTER_S, Pacer, Turn
from hilserl_tui.tmux import Watched


def drawn(pacer: Pacer, at_s: float, size: int, took_s: float | None = None) -> None:
    """A drawing of `size` bytes with its question; answered after `took_s`."""
    pacer.wrote(size)
    pacer.asked(at_s)
    if took_s is not None:
        pacer.answered(at_s + took_s)


def on_line(bytes_per_s: float, way_s: float, sizes: list[int]) -> Pacer:
    """A pacer that knows a line: so many drawings went over it, one after the other."""
    pacer = Pacer()
    for number, size in enumerate((0, *sizes)):
        drawn(pacer, float(number), size, way_s + size / bytes_per_s)
    return pacer


def test_no_more_than_a_few_drawings_are_on_their_way():
    pacer = on_line(1e9, 0.001, [])
    for at in range(IN_FLIGHT):
        assert pacer.may_draw(10.0)
        drawn(pacer, 10.0 + at / 1e3, 100)
    assert not pacer.may_draw(10.1)
    pacer.answered(10.12)
    assert pacer.may_draw(10.13)


def test_what_a_thin_line_carries_is_learned_from_its_answers():
    pacer = on_line(125_000, 0.08, [8_000] * 4)
    assert pacer.room(Turn.PICTURE) == pytest.approx(125_000 * LAG_S, rel=0.2)
    assert pacer.slow


def test_a_line_that_got_thin_is_believed_at_once():
    pacer = on_line(125_000, 0.08, [6_000] * 4)
    drawn(pacer, 10.0, 6_000, 0.08 + 6_000 / 25_000)
    assert pacer.room(Turn.PICTURE) == LEAST_BYTES


def test_a_line_is_taken_for_twice_as_wide_as_is_proven_and_no_more():
    pacer = on_line(1e7, 0.08, [])
    assert pacer.room(Turn.PICTURE) == FAR_BYTES
    drawn(pacer, 10.0, FAR_BYTES, 0.081)
    assert pacer.room(Turn.PICTURE) == 2 * FAR_BYTES
    drawn(pacer, 11.0, LEAST_BYTES, 0.081)
    assert pacer.room(Turn.PICTURE) == 2 * FAR_BYTES, "a drawing that small says nothing"


def test_a_few_bytes_that_were_late_do_not_make_a_line_thin():
    pacer = on_line(1e7, 0.001, [])
    before = pacer.room(Turn.PICTURE)
    drawn(pacer, 10.0, LEAST_BYTES - 1, 0.9)
    assert pacer.room(Turn.PICTURE) == before


def test_pictures_wait_for_what_is_on_its_way_and_text_does_not():
    pacer = on_line(125_000, 0.08, [8_000] * 4)
    drawn(pacer, 10.0, pacer.room(Turn.PICTURE) or 0)
    assert pacer.room(Turn.PICTURE) == 0
    assert (pacer.room(Turn.TEXT) or 0) > LEAST_BYTES and pacer.may_draw(10.05)
    drawn(pacer, 10.05, 6_000)
    assert not pacer.may_draw(10.1), "two windows of text are enough"
    assert pacer.room(Turn.FIRST) is None, "who has the arm is told whatever is on the way"


def test_bytes_that_nobody_asked_about_count_too():
    pacer = on_line(125_000, 0.08, [8_000] * 4)
    room = pacer.room(Turn.PICTURE) or 0
    pacer.wrote(1_000)
    assert pacer.room(Turn.PICTURE) == room - 1_000


def test_the_round_trip_belongs_to_the_oldest_question():
    pacer = Pacer()
    pacer.asked(1.0)
    pacer.asked(1.1)
    pacer.answered(1.15)
    assert round(pacer.link_ms or 0) == 150


def test_one_lost_answer_does_not_freeze_the_screen():
    pacer = on_line(1e7, 0.01, [])
    for at in range(IN_FLIGHT):
        drawn(pacer, 10.0 + at / 10, 10)
    assert not pacer.may_draw(11.0)
    late = 10.0 + IN_FLIGHT / 10 + FORGET_S
    assert pacer.may_draw(late)
    drawn(pacer, late, 10)
    assert not pacer.may_draw(late + 0.1), "a terminal that may have stalled is given one at a time"
    pacer.answered(late + 0.2)
    assert pacer.may_draw(late + 0.3)


def test_an_answer_to_a_forgotten_question_is_harmless():
    pacer = Pacer()
    pacer.answered(5.0)
    assert pacer.link_ms is None


def test_a_terminal_that_never_answers_is_drawn_freely():
    pacer = Pacer()
    for _ in range(IN_FLIGHT):
        drawn(pacer, 0.0, 100_000)
    assert not pacer.may_draw(0.5)
    assert pacer.may_draw(MUTE_AFTER_S + 0.2)
    assert pacer.mute(MUTE_AFTER_S + 0.2) and pacer.room(Turn.PICTURE) is None


def test_a_tmux_session_counts_as_left_only_after_somebody_watched_it():
    watched = Watched()
    watched.note(0)
    assert not watched.left
    watched.note(1)
    watched.note(0)
    assert watched.left
    watched.note(1)
    assert not watched.left
