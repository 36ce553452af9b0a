from hilserl_tui.pace import FORGET_S, MUTE_AFTER_S, Pacer
from hilserl_tui.tmux import Watched


def test_no_more_than_two_frames_are_on_their_way():
    pacer = Pacer()
    for at in (0.0, 0.1):
        assert pacer.may_draw(at)
        pacer.asked(at)
    assert not pacer.may_draw(0.2)
    pacer.answered(0.08)
    assert pacer.may_draw(0.26)


def test_on_a_slow_line_one_drawing_is_on_its_way():
    pacer = Pacer()
    for at in (0.0, 0.1):
        pacer.asked(at)
    pacer.answered(0.25)
    assert pacer.slow and not pacer.may_draw(0.3)
    pacer.answered(0.35)
    assert pacer.may_draw(0.36)


def test_the_round_trip_belongs_to_the_oldest_question():
    pacer = Pacer()
    pacer.asked(1.0)
    pacer.asked(1.1)
    pacer.answered(1.15)
    assert round(pacer.link_ms or 0) == 150


def test_one_lost_answer_does_not_freeze_the_screen():
    pacer = Pacer()
    pacer.asked(0.0)
    pacer.answered(0.01)
    pacer.asked(0.1)
    pacer.asked(0.2)
    assert not pacer.may_draw(1.0)
    assert pacer.stalled(1.0)
    assert pacer.may_draw(0.2 + FORGET_S + 0.01)


def test_an_answer_to_a_forgotten_question_is_harmless():
    pacer = Pacer()
    pacer.answered(5.0)
    assert pacer.link_ms is None


def test_a_terminal_that_never_answers_is_drawn_freely():
    pacer = Pacer()
    pacer.asked(0.0)
    pacer.asked(0.1)
    assert not pacer.may_draw(0.5)
    assert pacer.may_draw(MUTE_AFTER_S + 0.2)
    assert pacer.mute(MUTE_AFTER_S + 0.2)


def test_a_tmux_session_counts_as_left_only_after_somebody_watched_it():
    watched = Watched()
    watched.note(0)
    assert not watched.left
    watched.note(1)
    watched.note(0)
    assert watched.left
    watched.note(1)
    assert not watched.left
