"""A join token is good once and for ten minutes; a session token until it is taken away; no token is written down."""

import re
from pathlib import Path

import pytest

from workers.transport.credentials import CredentialError
from workers.transport.tokens import JOIN_VALID_S, JoinTokens, SessionTokens, Verdict, canonical


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_join_token_is_80_bits_in_letters_nobody_misreads() -> None:
    drawn = {JoinTokens().issue() for _ in range(200)}
    assert len(drawn) == 200
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", token) for token in drawn)


def test_a_join_token_is_good_once() -> None:
    joins = JoinTokens()
    token = joins.issue()
    assert [joins.redeem(token) for _ in range(3)] == [Verdict.GOOD, Verdict.USED, Verdict.USED]


def test_a_join_token_is_good_for_ten_minutes() -> None:
    clock = Clock()
    joins = JoinTokens(clock)
    early, late = joins.issue(), joins.issue()
    clock.now_s += JOIN_VALID_S - 0.1
    assert joins.redeem(early) is Verdict.GOOD
    clock.now_s += 0.1
    assert joins.redeem(late) is Verdict.EXPIRED


@pytest.mark.parametrize("token", ["", "0000-0000-0000-0000", "ü" * 16, "x" * 100_000, "0000-0000-0000-000U"])
def test_other_tokens_are_wrong(token: str) -> None:
    joins = JoinTokens()
    joins.issue()
    assert joins.redeem(token) is Verdict.WRONG


def test_a_join_token_may_be_typed_as_people_type() -> None:
    assert canonical(" 3gc2 ggj2-7hss-tqvi ") == canonical("3GC2-GGJ2-7HSS-TQV1")
    assert canonical("OOOO-LLLL-iiii-0000") == "0000111111110000"


def test_only_the_newest_invitations_stay_open() -> None:
    joins = JoinTokens()
    first, *_, last = [joins.issue() for _ in range(17)]
    assert (joins.redeem(first), joins.redeem(last)) == (Verdict.WRONG, Verdict.GOOD)


def test_a_session_token_is_known_by_its_hash_alone(tmp_path: Path) -> None:
    sessions = SessionTokens(tmp_path)
    token = sessions.issue("ada@robot")
    assert len(token) >= 43  # 256 bit in base64
    assert token not in (tmp_path / "sessions.json").read_text()
    assert sessions.holder(token) == "ada@robot"
    assert SessionTokens(tmp_path).holder(token) == "ada@robot"
    assert not any(map(sessions.holder, ("", token[:-1], token + "A", sessions.sessions()[0].digest)))


def test_taking_access_away_counts_at_once_and_everywhere(tmp_path: Path) -> None:
    here, elsewhere = SessionTokens(tmp_path), SessionTokens(tmp_path)
    kept, lost = here.issue("ada@robot"), here.issue("bob@robot")
    assert elsewhere.holder(lost) == "bob@robot"
    assert here.revoke("bob@robot") == 1
    assert (elsewhere.holder(kept), elsewhere.holder(lost)) == ("ada@robot", None)
    assert here.revoke("bob@robot") == 0


def test_learners_of_one_user_do_not_forget_each_other_s_robots(tmp_path: Path) -> None:
    one, other = SessionTokens(tmp_path), SessionTokens(tmp_path)
    tokens = [learner.issue(f"robot {turn}") for turn in range(5) for learner in (one, other)]
    assert all(one.holder(token) and other.holder(token) for token in tokens)


def test_a_token_of_this_process_is_not_written_down(tmp_path: Path) -> None:
    sessions = SessionTokens(tmp_path)
    token = sessions.issue_for_this_process("this machine")
    assert sessions.holder(token) == "this machine"
    assert SessionTokens(tmp_path).holder(token) is None


def test_a_damaged_list_of_robots_lets_nobody_in_and_is_named(tmp_path: Path) -> None:
    sessions = SessionTokens(tmp_path)
    token = sessions.issue("ada@robot")
    (tmp_path / "sessions.json").write_text("{")
    with pytest.raises(CredentialError, match=r"sessions\.json.* is damaged"):
        sessions.holder(token)


def test_a_label_is_shown_without_what_could_command_a_terminal(tmp_path: Path) -> None:
    sessions = SessionTokens(tmp_path)
    sessions.issue("a\x1b[31m\x00da\n" + "x" * 500)
    sessions.issue("\x07")
    assert [one.label for one in sessions.sessions()] == ["a[31mda" + "x" * 57, "unnamed"]
