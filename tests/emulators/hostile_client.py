"""Sends what a hostile robot PC may send, many calls at once, and looks after the learner meanwhile."""

import asyncio
import random
from collections import Counter

import grpc

from tests.emulators.echo_services import Method
from tests.emulators.hostile_messages import requests
from tests.emulators.learner_process import LearnerProcess
from tests.transport.linked import config_in
from workers.transport.certificate import NAME
from workers.transport.channel import credential_for
from workers.transport.limits import channel_options

AT_ONCE = 8
STREAMS = ("Link", "Watch")
SHORT_S = 0.1  # a stream may go on for ever, as Health.Watch does, or wait for its peer to hang up


async def bombard(learner: LearnerProcess, method: Method, count: int, seed: int) -> Counter[grpc.StatusCode]:
    """Make `count` calls with valid credentials and hostile requests; how they ended."""
    rng = random.Random(seed)
    config = config_in(learner.folder, learner.port)
    credential = credential_for(learner.address)
    credentials = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(credential.certificate.encode()),
        grpc.access_token_call_credentials(credential.token),
    )
    options = [(key, value) for key, value in channel_options(NAME) if "send_message" not in key]
    ended: Counter[grpc.StatusCode] = Counter()

    async def some(calls: int) -> None:
        for _ in range(calls):
            timeout_s = SHORT_S if method.name in STREAMS else 10.0
            ended[await method.call(channel, *requests(rng, method, config), timeout_s=timeout_s)] += 1

    async with grpc.aio.secure_channel(learner.address, credentials, options=options) as channel:
        await asyncio.gather(*(some(count // AT_ONCE) for _ in range(AT_ONCE)))
    return ended
