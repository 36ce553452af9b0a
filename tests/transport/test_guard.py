"""No handler runs for a stranger, whatever the call; who joined is served until access is taken away."""

import json
import logging
import os
import stat
from pathlib import Path

import grpc
import pytest

from tests.emulators.echo_services import Method, methods
from tests.emulators.learner_server import Learner, learner_at
from workers.transport.channel import Credential, dial
from workers.transport.guard import ListenRefused, secure_server
from workers.transport.limits_peers import (
    FAILURES,
    MOST_ADDRESSES,
    Peers,
    SecurityEvent,
    Watchman,
    address_of,
)
from workers.transport.tokens import SessionTokens

UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


def sessions_of(state: Path) -> SessionTokens:
    return SessionTokens(state / "learner")


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.path)
async def test_no_handler_runs_without_a_valid_token(learner: Learner, method: Method, state: Path) -> None:
    revoked = sessions_of(state).issue("bob@robot")
    assert sessions_of(state).revoke("bob@robot")
    digest = sessions_of(state).issue("eve") and sessions_of(state).sessions()[0].digest
    for token in (None, "", "wrong", revoked, learner.invite().token, digest, "a b", "x" * 4000):
        assert await learner.status(method, token) is UNAUTHENTICATED
    assert learner.echo.called == []


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.path)
async def test_every_handler_runs_for_who_joined(learner: Learner, method: Method, state: Path) -> None:
    token = sessions_of(state).issue("ada@robot")
    assert await learner.status(method, token) is grpc.StatusCode.OK
    assert learner.echo.called == [method.path]


def test_the_contract_s_services_are_among_those_tried() -> None:
    assert {"/hilserl.v1.Learner/Link", "/grpc.health.v1.Health/Check"} <= {one.path for one in methods()}


async def test_a_stranger_cannot_tell_which_calls_there_are(learner: Learner) -> None:
    for path in ("/nothing/There", "/hilserl.v1.Learner/Other", "/grpc.reflection.v1.ServerReflection/Info"):
        async with learner.stranger() as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await channel.unary_unary(path)(b"")
        assert refused.value.code() is UNAUTHENTICATED


async def test_two_tokens_in_one_call_are_none(learner: Learner, state: Path) -> None:
    good = f"Bearer {sessions_of(state).issue('ada@robot')}"
    for shown in (
        [good, good],
        [good, "Bearer x"],
        [good.lower()],
        [good.replace("Bearer", "Basic")],
        [good + " "],
    ):
        async with learner.stranger() as channel:
            call = channel.unary_unary("/grpc.health.v1.Health/Check")
            metadata = [("authorization", value) for value in shown]
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(b"", metadata=metadata)
        assert refused.value.code() is UNAUTHENTICATED
    assert learner.echo.called == []


async def test_a_damaged_list_of_robots_keeps_the_door_shut(learner: Learner, state: Path) -> None:
    token = sessions_of(state).issue("ada@robot")
    (state / "learner" / "sessions.json").write_text("{")
    assert await learner.status(methods()[0], token) is UNAUTHENTICATED
    assert any("is damaged" in event.what for event in learner.events)


async def test_on_the_same_machine_the_same_user_need_not_join(learner: Learner) -> None:
    for host in ("127.0.0.1", "localhost"):
        async with dial(f"{host}:{learner.server.port}") as channel:
            assert [await method.call(channel) for method in methods()] == [grpc.StatusCode.OK] * len(
                methods()
            )


async def test_the_local_credential_ends_with_the_learner(state: Path) -> None:
    learner = learner_at()
    await learner.server.start()
    path = state / "local" / f"{learner.server.port}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = json.loads(path.read_text())["token"]
    await learner.server.stop(0.0)
    assert not path.exists()
    again = learner_at(learner.address)
    await again.server.start()
    assert await again.status(methods()[0], token) is UNAUTHENTICATED
    await again.server.stop(0.0)


async def test_two_learners_never_share_a_port(learner: Learner) -> None:
    with pytest.raises(ListenRefused, match="another program has the port"):
        secure_server(learner.address, run="other")


@pytest.mark.parametrize(
    "listen", ["", "50051", "host", "host:port", ":50051", "::1:50051", "host:99999", "a b:1"]
)
async def test_what_is_no_address_is_named(state: Path, listen: str) -> None:
    with pytest.raises(ValueError, match="50051"):
        secure_server(listen, run="pick")


async def test_listening_everywhere_invites_to_an_address_of_this_machine(state: Path) -> None:
    learner = learner_at("0.0.0.0:0")
    addresses = learner.server.addresses()
    assert learner.invite().address == addresses[0]
    assert not any(one.startswith("0.0.0.0") for one in addresses)


async def test_a_call_may_ask_whether_its_robot_still_has_access(learner: Learner, state: Path) -> None:
    class Call:
        def invocation_metadata(self) -> object:
            return (("authorization", f"Bearer {token}"),)

    token = sessions_of(state).issue("ada@robot")
    assert learner.server.admits(Call()) == "ada@robot"
    sessions_of(state).revoke("ada@robot")
    assert learner.server.admits(Call()) is None


async def test_all_files_are_this_user_s_alone_and_no_token_is_told(
    learner: Learner, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = sessions_of(state).issue("ada@robot")
    invitation = learner.invite()
    for token in (secret, invitation.token, "wrong-but-secret"):
        await learner.status(methods()[0], token)
    told = caplog.text + repr(learner.events) + repr(invitation) + repr(Credential("a:1", "", secret, "pick"))
    assert not any(token in told for token in (secret, invitation.token, "wrong-but-secret"))
    for folder, _, names in os.walk(state):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert all(stat.S_IMODE(os.stat(Path(folder, name)).st_mode) == 0o600 for name in names)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.7:51000", "10.0.0.7"),
        ("ipv6:%5B::1%5D:51000", "::1"),
        ("ipv6:%5B::ffff:10.0.0.7%5D:51000", "10.0.0.7"),
        ("ipv6:%5B2001:db8::1:2:3:4%5D:51000", "2001:db8::/64"),
        ("ipv6:%5Bfe80::1%25eth0%5D:51000", "fe80::/64"),
        ("unix:/some/socket", "elsewhere"),
        ("", "elsewhere"),
    ],
)
def test_peers_are_told_apart_by_what_they_cannot_vary(peer: str, address: str) -> None:
    assert address_of(peer) == address


def test_an_address_is_locked_out_for_a_minute_after_its_failures() -> None:
    now = [0.0]
    peers = Peers(lambda: now[0])
    for _ in range(FAILURES):
        assert not peers.locked_out("10.0.0.7")
        peers.failed("10.0.0.7")
        now[0] += 1.0
    assert peers.locked_out("10.0.0.7") and not peers.locked_out("10.0.0.8")
    now[0] = 60.0
    assert not peers.locked_out("10.0.0.7")


def test_an_address_may_enrol_five_times_a_minute() -> None:
    now = [0.0]
    peers = Peers(lambda: now[0])
    assert [peers.may_enrol("10.0.0.7") for _ in range(7)] == [True] * 5 + [False] * 2
    assert peers.may_enrol("10.0.0.8")
    now[0] = 60.0
    assert peers.may_enrol("10.0.0.7")


def test_strangers_cannot_fill_the_memory_with_addresses() -> None:
    peers = Peers()
    for number in range(2 * MOST_ADDRESSES):
        peers.failed(f"2001:db8:{number:x}::/64")
    assert len(peers) == MOST_ADDRESSES


async def test_strangers_cannot_write_the_log() -> None:
    told: list[SecurityEvent] = []
    watchman = Watchman(told.append)
    for number in range(1000):
        watchman.note(f"10.0.0.{number % 200}", "calls without a valid token")
    assert [event.count for event in told] == [1]
    watchman.close()
    assert len(told) <= 7
    assert sum(event.count for event in told) == 1000
