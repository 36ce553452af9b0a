"""The way to a learner elsewhere: whether it lets this machine in, its round trip, and what the line carries.

Nothing here takes an actor's place: the calls ask for a policy that there is not, which only who may enter is told.
The larger question carries as many bytes as some steps of an actor do.
"""

import asyncio
import time
from typing import Final

import grpc

from workers.config import Config
from workers.doctor.machine import written_bytes_s
from workers.model.check import Check
from workers.transport import channel_address
from workers.transport.channel import NotJoined, dial
from workers.transport.credentials import CredentialError
from workers.transport.link_errors import explained, shows_another_certificate
from workers.transport.pb import learner_pb2 as pb
from workers.transport.pb import learner_pb2_grpc

CALLS: Final = 5
QUESTION_BYTES: Final = 1_000_000
WITHIN_S: Final = 20.0
SLOW_MS: Final = 150.0
WHY: Final = "transitions go there and policies come back"


def link(config: Config) -> Check:
    """Of a configuration with a `learner_host`."""
    settings = config.policy.actor_learner_config
    assert settings.learner_host is not None, "the learner runs here"
    address = channel_address.joined(settings.learner_host, settings.learner_port)
    try:
        trips_s, bytes_s = asyncio.run(_measured(address))
    except (NotJoined, CredentialError) as error:
        do = (
            "on the learner's machine, hilserl-worker learner prints the line to paste here: hilserl-tui join"
        )
        return Check("learner link", False, str(error), WHY, do)
    except TimeoutError:
        do = "look at learner_host and learner_port, and whether a firewall lets the port through"
        return Check("learner link", False, f"no answer from {address} in {WITHIN_S:.0f} s", WHY, do)
    except grpc.aio.AioRpcError as error:
        return _refused(address, error)
    needed = written_bytes_s(config)
    trip_ms = 1e3 * trips_s[len(trips_s) // 2]
    found = f"{address}: {trip_ms:.1f} ms, {bytes_s * 8 / 1e6:.1f} Mbit/s there"
    found += f"; this run sends {needed * 8 / 1e6:.1f} Mbit/s"
    if bytes_s < needed:
        do = 'set policy.actor_learner_config.image_format = "jpeg", or a smaller resize_size'
        return Check("learner link", None, found, "what cannot be sent waits, and is learned from later", do)
    do = "policies come late; nothing is lost"
    return Check("learner link", None if trip_ms > SLOW_MS else True, found, WHY, do)


def _refused(address: str, error: grpc.aio.AioRpcError) -> Check:
    if shows_another_certificate(error):
        words = f"what answers at {address} is not the learner that this machine joined"
        return Check("learner link", False, words, WHY, "join it again, or look at host and port")
    words = str(explained(address, error))
    return Check(
        "learner link", False, words, WHY, "start it there: hilserl-worker learner --listen ADDRESS:PORT"
    )


async def _measured(address: str) -> tuple[list[float], float]:
    """Seconds of some round trips, shortest first; bytes a second towards the learner.

    Raises NotJoined, CredentialError, TimeoutError, AioRpcError.
    """
    async with asyncio.timeout(WITHIN_S), dial(address) as channel:
        stub = learner_pb2_grpc.LearnerStub(channel)
        await _ask(stub, 32)  # the first one opens the connection
        trips_s = sorted([await _ask(stub, 32) for _ in range(CALLS)])
        long_s = await _ask(stub, QUESTION_BYTES)
        return trips_s, QUESTION_BYTES / max(1e-6, long_s - trips_s[0])


async def _ask(stub: learner_pb2_grpc.LearnerStub, size: int) -> float:
    """How long a question of `size` bytes takes to be answered. Raises AioRpcError."""
    begun_s = time.monotonic()
    try:
        await stub.FetchPolicy(pb.FetchPolicyRequest(sha256=bytes(size)), timeout=WITHIN_S)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
    return time.monotonic() - begun_s
