"""The learner's side against clients that are wrong, late, greedy or hostile."""

import os
import random
import resource
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.transport.linked import FEATURES, Linked, records
from workers.config import load
from workers.config.ready import ready_config
from workers.model.events import LinkState
from workers.model.orders import TakePolicy
from workers.transport.certificate import NAME
from workers.transport.channel import credential_for, dial
from workers.transport.codec import encode
from workers.transport.ingest_session import Session
from workers.transport.limits import MESSAGE_BYTES
from workers.transport.log import LogReader
from workers.transport.log_format import LogError, PackedRecord
from workers.transport.pb import learner_pb2 as pb
from workers.transport.pb import learner_pb2_grpc
from workers.transport.shelf import PolicyShelf
from workers.transport.sources import actor_log
from workers.transport.wire import BATCH_BYTES, network_settings, to_message

NETWORKS = network_settings(load(ready_config()).policy)


def hello(linked: Linked, **fields: Any) -> pb.Hello:
    message = pb.Hello(
        protocol_major=1, app_version="0", run="run", actor_id="arm", epoch=7, host="robot-pc",
        features=msgspec.json.encode(FEATURES),
        networks=msgspec.json.encode(NETWORKS),
    )  # fmt: skip
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def packed(count: int, first: int = 0) -> list[PackedRecord]:
    made = []
    for seq, record in zip(range(first + count), records(FEATURES), strict=False):
        kind, payload = encode(record, FEATURES)
        made.append(PackedRecord(kind, 0, seq, payload, zlib.crc32(payload)))
    return made[first:]


def batch(count: int, first: int = 0) -> pb.FromActor:
    return pb.FromActor(records=to_message(packed(count, first)))


@asynccontextmanager
async def stream(linked: Linked) -> AsyncIterator[Any]:
    async with dial(f"127.0.0.1:{linked.learner.port}") as channel:
        call = learner_pb2_grpc.LearnerStub(channel).Link()
        yield call
        call.cancel()


async def answer(call: Any, kind: str) -> Any:
    """The next message of this kind; others before it are passed over."""
    while True:
        message = await call.read()
        assert message is not grpc.aio.EOF, f"the stream ended before any {kind}"
        if message.WhichOneof("message") == kind:
            return getattr(message, kind)
        assert message.WhichOneof("message") != "refused", message


async def opened(call: Any, linked: Linked, **fields: Any) -> Any:
    await call.write(pb.FromActor(hello=hello(linked, **fields)))
    return await call.read()


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"protocol_major": 2}, pb.REFUSED_CODE_PROTOCOL, "speaks protocol 2"),
        ({"run": "other"}, pb.REFUSED_CODE_RUN, "on the run 'other', the learner on 'run'"),
        (
            {"features": msgspec.json.encode(msgspec.structs.replace(FEATURES, state_dim=4))},
            pb.REFUSED_CODE_FEATURES,
            "state_dim: 4 here, 3 there (here: the robot PC, there: the learner)",
        ),
        (
            {"networks": msgspec.json.encode(NETWORKS | {"policy.latent_dim": 7})},
            pb.REFUSED_CODE_NETWORKS,
            "latent_dim: 7 here",
        ),
        ({"features": b"{"}, pb.REFUSED_CODE_MALFORMED, "cannot read"),
        ({"networks": b"[" * 4000}, pb.REFUSED_CODE_MALFORMED, "cannot read"),
        ({"actor_id": "../arm"}, pb.REFUSED_CODE_MALFORMED, "actor_id"),
        ({"actor_id": "a" * 33}, pb.REFUSED_CODE_MALFORMED, "actor_id"),
        ({"host": "h" * 5000}, pb.REFUSED_CODE_MALFORMED, "longer than 4096"),
    ],
)
async def test_a_hello_that_does_not_fit_is_refused_with_the_difference(
    linked: Linked, fields: dict[str, Any], code: int, words: str
) -> None:
    async with stream(linked) as call:
        refused = (await opened(call, linked, **fields)).refused
    assert refused.code == code
    assert words in refused.what
    assert refused.fix
    assert linked.learner.logs() == {}


@pytest.fixture
def unhurried_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """These streams send no heartbeats: a busy computer must not make them look dead."""
    monkeypatch.setattr("workers.transport.ingest_session.LEASE_S", 600.0)
    monkeypatch.setattr("workers.transport.ingest_session.SILENT_S", 1200.0)


@pytest.mark.usefixtures("unhurried_leases")
async def test_a_second_machine_of_the_same_name_is_refused_while_the_first_is_alive(linked: Linked) -> None:
    async with stream(linked) as first, stream(linked) as second:
        await opened(first, linked)
        refused = (await opened(second, linked, epoch=8, host="other-pc")).refused
        assert refused.code == pb.REFUSED_CODE_HELD
        assert "robot-pc" in refused.what and " s ago" in refused.what and "actor_id" in refused.fix
        await first.write(batch(5))
        assert (await answer(first, "ack")).next_seq == 5


async def fenced(call: Any) -> bool:
    """Whether the stream's last word is that it was replaced."""
    last = None
    while (message := await call.read()) is not grpc.aio.EOF:
        last = message
    return last is not None and last.refused.code == pb.REFUSED_CODE_FENCED


@pytest.mark.usefixtures("unhurried_leases")
async def test_an_actor_that_comes_again_replaces_its_own_session_and_goes_on(linked: Linked) -> None:
    async with stream(linked) as first, stream(linked) as second:
        await opened(first, linked)
        await first.write(batch(5))
        await answer(first, "ack")
        assert (await opened(second, linked)).welcome.next_seq == 5
        await first.write(batch(5, first=5))
        assert await fenced(first)
        await second.write(batch(5, first=3))
        assert (await answer(second, "ack")).next_seq == 8
    assert [r.seq for r in log_of(linked)] == list(range(8))


def log_of(linked: Linked) -> list[Any]:
    return list(LogReader(actor_log(linked.learner.config.run_dir, "arm", 7)).read_new())


async def test_a_silent_session_may_be_replaced_when_its_lease_is_over(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stream(linked) as first, stream(linked) as second:
        await opened(first, linked)
        monkeypatch.setattr(Session, "alive", property(lambda session: False))
        assert (await opened(second, linked, epoch=8, host="other-pc")).HasField("welcome")
        assert await fenced(first)


@pytest.mark.usefixtures("unhurried_leases")
async def test_no_more_than_sixteen_actors_and_silent_ones_make_room(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        stream(linked) as last,
        dial(f"127.0.0.1:{linked.learner.port}") as one,
        dial(f"127.0.0.1:{linked.learner.port}") as two,
    ):
        calls = []
        for number in range(16):
            calls.append(learner_pb2_grpc.LearnerStub((one, two)[number % 2]).Link())
            assert (await opened(calls[-1], linked, actor_id=f"arm{number}", epoch=number)).HasField(
                "welcome"
            )
        with monkeypatch.context() as patch:
            patch.setattr(Session, "alive", property(lambda session: False))  # silent, and not ended yet
            assert (await opened(last, linked)).refused.code == pb.REFUSED_CODE_BUSY
        monkeypatch.setattr("workers.transport.ingest_session.SILENT_S", 0.5)
        for call in calls:
            while await call.read() is not grpc.aio.EOF:
                pass
        async with stream(linked) as late:
            assert (await opened(late, linked)).HasField("welcome")


def raw(*data: bytes) -> pb.FromActor:
    return pb.FromActor(records=pb.Records(packed=b"".join(data)))


def bad_record(**fields: Any) -> pb.FromActor:
    return raw(packed(1)[0]._replace(**fields).packed())


def with_payload(payload: bytes, kind: int = 1) -> pb.FromActor:
    return bad_record(payload=payload, crc32=zlib.crc32(payload), kind=kind)


@pytest.mark.parametrize(
    "message",
    [
        pb.FromActor(),
        pb.FromActor(hello=pb.Hello()),
        pb.FromActor(records=pb.Records()),
        bad_record(crc32=1),
        bad_record(kind=99),
        with_payload(b""),
        with_payload(bytes(100)),
        with_payload(bytes(1_000_000)),
        with_payload(bytes(1589), kind=3),
        batch(65),
        raw(*(record.packed() for record in packed(5, first=3)[::2])),
        raw(packed(4)[3].packed(), b"\0"),
        raw(packed(4)[3].packed()[:-1]),
        raw(PackedRecord(1, 0, 3, b"", 0).packed() * 50_000),
    ],
)
async def test_a_malformed_message_ends_its_stream_and_leaves_the_server_and_the_log(
    linked: Linked, message: pb.FromActor
) -> None:
    async with stream(linked) as call:
        await opened(call, linked)
        await call.write(batch(3))
        await answer(call, "ack")
        await call.write(message)
        while (last := await call.read()).WhichOneof("message") == "heartbeat":
            pass
        assert last.refused.code == pb.REFUSED_CODE_MALFORMED
        assert await call.read() is grpc.aio.EOF
    async with stream(linked) as call:
        assert (await opened(call, linked)).welcome.next_seq == 3


async def test_a_gap_is_refused_and_what_came_before_it_is_kept(linked: Linked) -> None:
    async with stream(linked) as call:
        await opened(call, linked)
        await call.write(batch(3))
        await answer(call, "ack")
        await call.write(batch(3, first=4))
        while (last := await call.read()).WhichOneof("message") == "heartbeat":
            pass
        assert last.refused.code == pb.REFUSED_CODE_GAP
    assert [r.seq for r in log_of(linked)] == [0, 1, 2]


def unlimited(linked: Linked) -> grpc.aio.Channel:
    """A channel that sends what ours would not."""
    credential = credential_for(f"127.0.0.1:{linked.learner.port}")
    both = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(credential.certificate.encode()),
        grpc.access_token_call_credentials(credential.token),
    )
    options = [("grpc.ssl_target_name_override", NAME), ("grpc.max_send_message_length", -1)]
    return grpc.aio.secure_channel(credential.address, both, options=options)


async def test_an_oversized_message_is_not_taken_in(linked: Linked) -> None:
    async with stream(linked) as call:
        await opened(call, linked)
        await call.write(with_payload(bytes(MESSAGE_BYTES - 100)))
        while (last := await call.read()).WhichOneof("message") == "heartbeat":
            pass
        assert last.refused.code == pb.REFUSED_CODE_MALFORMED
    async with unlimited(linked) as channel:
        raw = channel.stream_stream("/hilserl.v1.Learner/Link")()
        await raw.write(bytes(5_000_000))
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await raw.read()
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    async with stream(linked) as call:
        assert (await opened(call, linked)).HasField("welcome")


async def test_a_record_larger_than_the_link_carries_is_told_on_the_robot_pc() -> None:
    with pytest.raises(LogError, match="image_format"):
        to_message([PackedRecord(1, 0, 0, bytes(BATCH_BYTES + 1), 0)])


async def test_random_messages_leave_the_learner_alive_with_bounded_memory(linked: Linked) -> None:
    rng = random.Random(0)
    valid = [m.SerializeToString() for m in (batch(3), pb.FromActor(hello=hello(linked)), pb.FromActor())]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with dial(f"127.0.0.1:{linked.learner.port}") as channel:
        link = channel.stream_stream("/hilserl.v1.Learner/Link")
        fetch = channel.unary_unary("/hilserl.v1.Learner/FetchPolicy")
        for number in range(300):
            data = bytearray(rng.choice(valid) or rng.randbytes(rng.randrange(200)))
            for _ in range(rng.randrange(4)):
                data[rng.randrange(len(data))] ^= rng.randrange(256)
            if number % 3 == 0:
                with suppress(grpc.aio.AioRpcError):
                    await fetch(bytes(data))
                continue
            call = link()
            if number % 2:
                await call.write(pb.FromActor(hello=hello(linked)).SerializeToString())
            await call.write(bytes(data))
            await call.done_writing()
            with suppress(grpc.aio.AioRpcError):
                while (answered := await call.read()) is not grpc.aio.EOF:
                    if pb.FromLearner.FromString(answered).HasField("refused"):
                        break
            call.cancel()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    async with stream(linked) as call:
        assert (await opened(call, linked)).HasField("welcome")


async def test_a_message_that_would_take_many_times_its_size_is_not_parsed(linked: Linked) -> None:
    """Two bytes for each change of its mind about what it is: 2 MiB would become 78 MB."""
    before = resident_mib()
    async with unlimited(linked) as channel:
        for number in range(8):
            call = channel.stream_stream("/hilserl.v1.Learner/Link")()
            said = hello(linked, actor_id=f"arm{number}", epoch=number)
            await call.write(pb.FromActor(hello=said).SerializeToString())
            assert pb.FromLearner.FromString(await call.read()).HasField("welcome")
            await call.write(b"\x0a\x00\x12\x00" * 500_000)
            last = pb.FromLearner()
            while not last.HasField("refused"):
                last = pb.FromLearner.FromString(await call.read())
            assert last.refused.code == pb.REFUSED_CODE_MALFORMED
    assert resident_mib() - before < 200


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def test_a_policy_is_served_from_any_offset_and_one_that_is_gone_is_not_found(linked: Linked) -> None:
    data = os.urandom(600_000)
    PolicyShelf(linked.learner.config.run_dir / "policy").put(1, data)
    async with stream(linked) as call:
        await opened(call, linked)
        linked.learner.desk.orders.append(TakePolicy(1))
        offer = await answer(call, "policy_offer")
        assert (offer.version, offer.trained.size) == (1, len(data))
        assert offer.trained.sha256 == sha256(data).digest() and offer.frozen.size == 0
    async with dial(f"127.0.0.1:{linked.learner.port}") as channel:
        fetch = learner_pb2_grpc.LearnerStub(channel).FetchPolicy

        async def chunk(digest: bytes, offset: int) -> bytes:
            reply = await fetch(pb.FetchPolicyRequest(sha256=digest, offset=offset), timeout=5)
            return bytes(reply.data)

        for offset in (0, 100_000, len(data) - 5, len(data), 10**9):
            assert await chunk(offer.trained.sha256, offset) == data[offset : offset + 128 * 1024]
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await chunk(b"no", 0)
        assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_health_is_told_to_whoever_has_joined(linked: Linked) -> None:
    async with dial(f"127.0.0.1:{linked.learner.port}") as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        for service in ("", "ingest", "weights"):
            reply = await check(health_pb2.HealthCheckRequest(service=service), timeout=2)
            assert reply.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.usefixtures("unhurried_leases")
async def test_the_robot_pc_says_what_the_learner_refused(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.transport.link_worker.REFUSED_PERIOD_S", 0.5)
    async with stream(linked) as call:
        await opened(call, linked)
        robot = await linked.add_robot()
        begun = time.monotonic()
        told = await robot.until_state(LinkState.REFUSED)
        assert time.monotonic() - begun < 5.0, "it does not wait for anything to run out"
        assert "feeds the learner as 'arm'" in told.reason and "actor_id of its own" in told.reason
    robot.append(5)
    await linked.until_copied(robot, within_s=12)
