"""What becomes of a run whose gradients are NaN from some moment on."""

from pathlib import Path

import msgspec
import pytest
import torch

from tests.config.effect_tools import FakeDesk, rounds
from tests.learner.runs import Arm, tiny_config
from workers.learner.sac_state import policy_tensors
from workers.learner.session import LearnerSession
from workers.learner.worker import SKIPS_ALLOWED, Loop
from workers.model.events import LearnerProgress
from workers.model.orders import Learn


def test_learning_stops_when_one_update_after_the_other_gives_nan(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tiny_config(tmp_path)
    algorithm = msgspec.structs.replace(config.algorithm, log_freq=SKIPS_ALLOWED)
    actor_learner = msgspec.structs.replace(config.policy.actor_learner_config, queue_get_timeout=0.01)
    policy = msgspec.structs.replace(config.policy, actor_learner_config=actor_learner)
    config = msgspec.structs.replace(config, algorithm=algorithm, policy=policy)
    arm = Arm(config, 1)
    arm.record(60)
    arm.close()
    session = LearnerSession(config)
    with torch.no_grad():
        session.sac.critics.layers[0].bias.fill_(float("nan"))
    before = policy_tensors(session.sac)

    desk = FakeDesk([Learn(True, all_demonstrated=True)], rounds(4 * SKIPS_ALLOWED))
    loop = Loop(desk, config, session)  # type: ignore[arg-type]
    loop.run()
    session.close()
    assert session.updates == SKIPS_ALLOWED
    assert loop._status.startswith("stopped")
    assert caplog.text.count("were left out; learning stops") == 1
    assert all(torch.equal(before[name], now) for name, now in policy_tensors(session.sac).items())
    assert desk.mailbox.of(LearnerProgress)
