"""Joining: the line from the learner's screen earns a session token, and nothing else does."""

import asyncio
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from tests.emulators.echo_services import methods
from tests.emulators.learner_server import Learner, learner_at
from workers.transport import enrolment, tokens
from workers.transport.channel import credential_for, dial
from workers.transport.enrolment import JoinInvitation, JoinRefused, join, tunnel_line
from workers.transport.guard import secure_server
from workers.transport.limits_peers import ENROLMENTS, FAILURES
from workers.transport.tokens import SessionTokens

PIN = "930dc96954aa5fa3f9df812554e79a60"
TOKEN = "3GC2-GGJ2-7HSS-TQV1"


async def joined(invitation: JoinInvitation, label: str = "ada@robot") -> str:
    return await asyncio.to_thread(join, invitation, label)


async def refusal(invitation: JoinInvitation) -> str:
    started = time.monotonic()
    with pytest.raises(JoinRefused) as refused:
        await joined(invitation)
    assert time.monotonic() - started < 10.0
    assert invitation.token not in str(refused.value)
    return str(refused.value)


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """From here on, this is the robot PC: it has none of the learner's files."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "robot"))
    return tmp_path / "robot" / "hilserl"


async def test_a_robot_that_joined_is_served(
    learner: Learner, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = learner.invite()
    robot = elsewhere(monkeypatch, tmp_path)
    assert await joined(JoinInvitation.from_line(invitation.line())) == "pick"
    async with dial(learner.address) as channel:
        assert await methods()[0].call(channel) is grpc.StatusCode.OK
    (kept,) = (robot / "joined").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert credential_for(learner.address).run == "pick"
    assert [one.label for one in SessionTokens(state / "learner").sessions()] == ["ada@robot"]


async def test_the_name_of_a_learners_run_cannot_touch_the_terminal(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = secure_server("127.0.0.1:0", run="\x1b]0;pwned\x07")
    await hostile.start()
    invitation = hostile.invite()
    elsewhere(monkeypatch, tmp_path)
    assert await joined(invitation) == " ]0;pwned "
    await hostile.stop(0.0)


async def test_joining_again_replaces_what_was_kept(
    learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, tmp_path)
    await joined(learner.invite())
    first = credential_for(learner.address)
    await joined(learner.invite())
    assert credential_for(learner.address).token != first.token


async def test_a_token_is_refused_when_wrong_used_or_expired(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = learner.invite()
    wrong = JoinInvitation(invitation.address, invitation.pin, TOKEN)
    assert "does not know this token" in await refusal(wrong)
    await joined(invitation)
    assert "used before" in await refusal(invitation)
    monkeypatch.setattr(tokens, "JOIN_VALID_S", 0.0)
    assert "older than ten minutes" in await refusal(learner.invite())
    assert {event.address for event in learner.events} == {"127.0.0.1"}


async def test_another_pin_is_a_hard_stop_before_anything_is_sent(learner: Learner) -> None:
    invitation = learner.invite()
    text = await refusal(JoinInvitation(invitation.address, PIN, invitation.token))
    assert text.startswith("STOP")
    assert PIN in text and invitation.pin in text
    await joined(invitation)  # its token was not used up


async def test_an_impostor_with_the_same_name_learns_no_token(
    learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, tmp_path)
    await joined(learner.invite())
    address = learner.address
    await learner.server.stop(0.0)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "impostor"))
    impostor = learner_at(address)
    await impostor.server.start()
    elsewhere(monkeypatch, tmp_path)
    async with dial(address) as channel:
        assert await methods()[0].call(channel, timeout_s=2.0) is grpc.StatusCode.UNAVAILABLE
    assert (impostor.echo.called, impostor.events) == ([], [])
    await impostor.server.stop(0.0)


async def test_an_address_that_tries_too_often_waits_a_minute(learner: Learner) -> None:
    invitation = learner.invite()
    wrong = JoinInvitation(invitation.address, invitation.pin, TOKEN)
    for _ in range(ENROLMENTS):
        await refusal(wrong)
    assert "Wait a minute" in await refusal(invitation)


async def test_an_address_whose_calls_have_no_valid_token_may_still_join(
    learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2 * FAILURES):
        assert await learner.status(methods()[0]) is grpc.StatusCode.UNAUTHENTICATED
    invitation = learner.invite()
    elsewhere(monkeypatch, tmp_path)
    assert await joined(invitation) == "pick"


async def test_an_address_that_failed_to_join_too_often_cannot_but_who_joined_goes_on(
    learner: Learner, state: Path
) -> None:
    token = SessionTokens(state / "learner").issue("ada@robot")
    wrong = JoinInvitation(learner.address, learner.invite().pin, TOKEN)
    for _ in range(ENROLMENTS):
        await refusal(wrong)
    assert "Wait a minute" in await refusal(learner.invite())
    assert await learner.status(methods()[0], token) is grpc.StatusCode.OK


@contextmanager
def listener(answer: bytes | None) -> Iterator[str]:
    """Something that takes connections and says `answer`; None: nothing, ever."""
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                if answer is None:
                    connection.recv(4096)
                else:
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


async def test_who_is_no_learner_is_named(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        assert "does not speak TLS" in await refusal(JoinInvitation(address, PIN, TOKEN))
    assert "Nobody listens" in await refusal(JoinInvitation(address, PIN, TOKEN))
    assert "no such host" in await refusal(JoinInvitation("nobody.invalid:50051", PIN, TOKEN))
    monkeypatch.setattr(enrolment, "LEAF_S", 0.3)
    with listener(None) as address:
        assert "does not answer" in await refusal(JoinInvitation(address, PIN, TOKEN))


@pytest.mark.parametrize(
    "line",
    [
        f"hilserl-tui join 10.0.0.5:50051 --pin {PIN} --token {TOKEN}",
        f"  join 10.0.0.5:50051 --token '{TOKEN.lower()}' --pin {PIN.upper()} \n",
    ],
)
def test_the_line_is_read_as_it_is_pasted(line: str) -> None:
    read = JoinInvitation.from_line(line)
    assert (read.address, read.pin, read.token.upper()) == ("10.0.0.5:50051", PIN, TOKEN)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "join",
        "rm -rf .",
        "join 'unclosed",
        f"join 10.0.0.5:50051 --pin {PIN}",
        f"join 10.0.0.5:50051 --pin {PIN} --token",
        f"join 10.0.0.5 --pin {PIN} --token {TOKEN}",
        f"join 10.0.0.5:50051 --pin {PIN[1:]} --token {TOKEN}",
        f"join 10.0.0.5:50051 --pin {PIN} --token {TOKEN}0",
    ],
)
def test_what_is_no_such_line_is_refused_with_what_to_do(line: str) -> None:
    with pytest.raises(JoinRefused, match="learner's screen"):
        JoinInvitation.from_line(line)


def test_the_tunnel_brings_the_port_to_this_machine() -> None:
    assert tunnel_line(50051, "gpu", "ada") == "ssh -N -L 50051:127.0.0.1:50051 ada@gpu"
