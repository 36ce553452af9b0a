"""Ten thousand hostile messages for each RPC, from a robot that joined, leave the learner alive and small."""

from pathlib import Path

import grpc
import pytest

from tests.emulators.echo_services import methods
from tests.emulators.hostile_client import bombard
from tests.emulators.learner_process import learner_process
from workers.transport.channel import dial

MESSAGES = 10_000
MOST_MIB = 64


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_ten_thousand_messages_per_rpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with learner_process(tmp_path) as learner:
        before_mib, before_files = learner.resident_mib(), learner.open_files()
        for seed, method in enumerate(methods()):
            ended = await bombard(learner, method, MESSAGES, seed)
            assert sum(ended.values()) == MESSAGES
            assert not {grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE} & set(ended), method.path
            assert learner.alive, learner.output.read_text()
            assert learner.resident_mib() - before_mib < MOST_MIB, method.path
            assert learner.open_files() - before_files < 16, method.path
        async with dial(learner.address) as channel:
            check = next(method for method in methods() if method.name == "Check")
            assert await check.call(channel) is grpc.StatusCode.OK
        assert "Traceback" not in learner.output.read_text()
