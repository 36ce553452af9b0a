"""Effects of a leader arm's keys on its worker: what a hand on it means."""

import multiprocessing
import time
from pathlib import Path

import numpy as np

from tests.config.effect_tools import Effect, FakeDesk
from tests.teleop.leader_arms import TICK_S, LeaderArm, towards
from workers.config import Config
from workers.model.events import GateMode
from workers.robot.board import ARM_STATE, Board
from workers.teleop.device import DeviceReader
from workers.teleop.leader import loop_of

CONTEXT = multiprocessing.get_context("spawn")
ARM = np.array([10.0, -20.0, 30.0, 40.0, 5.0, 60.0])
LEADER = {
    "env.teleop.type": "so101_leader",
    "env.teleop.port": "/nowhere/leader",
    "env.teleop.id": "mine",
}


def asked(config: Config, folder: Path) -> bool:
    """Whether a hand that moves the mirroring leader asks for the arm."""
    board, leader = Board.create(CONTEXT, {}), LeaderArm(ARM)
    loop = loop_of(FakeDesk((), bool), config, board, lambda: leader)  # type: ignore[arg-type]
    state, now_s = np.zeros((), ARM_STATE), time.monotonic()
    state["joints"], state["mode"] = ARM, GateMode.ENGAGED.value.encode()
    asks = False
    for tick in range(round(4.0 / TICK_S)):
        state["at_ns"] = int(now_s * 1e9)
        board.arm.write(state)
        if tick * TICK_S > 3.0:
            leader.hand = towards(ARM + np.array([15.0, 0, 0, 0, 0, 0]), 60.0)
        loop.tick(now_s)
        leader.advance(TICK_S)
        now_s += TICK_S
        asks |= DeviceReader(board.teleop).read().intervene
    return asks


EFFECTS: dict[str, Effect] = {
    "env.teleop.takeover_by_motion": Effect((False, True), asked, LEADER),
}
