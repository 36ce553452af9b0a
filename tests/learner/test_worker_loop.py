"""The learner worker's loop between two orders."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.learner.runs import Arm, tiny_config
from workers.learner.session import LearnerSession
from workers.learner.worker import TELLING_UPDATES, Countdown, Loop
from workers.model.orders import AnyOrder, ChangeSettings, Learn, Quit


class Desk:
    """Gives an order a round; tells how many updates were done when Quit was taken."""

    def __init__(self, session: LearnerSession, orders: list[AnyOrder | None]) -> None:
        self._session, self._orders = session, orders
        self.updates_at_quit: int | None = None
        self.mailbox = SimpleNamespace(emit=lambda event: None)

    def next_order(self, timeout_s: float = 0.0) -> AnyOrder | None:
        order = self._orders.pop(0)
        if isinstance(order, Quit):
            self.updates_at_quit = self._session.updates
        return order

    def alive(self) -> bool:
        return self.updates_at_quit is None


def test_nothing_is_learned_between_quit_and_the_last_checkpoint(tmp_path: Path) -> None:
    config = tiny_config(tmp_path)
    arm = Arm(config, 1)
    arm.record(60)
    arm.close()
    session = LearnerSession(config)
    desk = Desk(session, [Learn(True, all_demonstrated=True), None, None, None, Quit(), None])
    Loop(desk, config, session).run()  # type: ignore[arg-type]
    session.close()
    assert desk.updates_at_quit == session.updates > 0
    assert (config.run_dir / "checkpoints" / "LATEST").read_text() == f"step-{session.updates:08d}"


def test_settings_change_between_two_updates(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = tiny_config(tmp_path)
    arm = Arm(config, 1)
    arm.record(60)
    arm.close()
    session = LearnerSession(config)
    desk = Desk(session, [Learn(True), ChangeSettings({"algorithm.utd_ratio": 7}), None, None, Quit(), None])
    with caplog.at_level("INFO"):
        Loop(desk, config, session).run()  # type: ignore[arg-type]
    session.close()
    assert session.ahead_of_data() == (session.updates >= 7 * session.env_steps)
    assert session._config.algorithm.utd_ratio == 7
    assert f"algorithm.utd_ratio is 7 now, it was {config.algorithm.utd_ratio}" in caplog.text


def test_cloning_tells_how_long_it_still_takes_by_its_pace_so_far() -> None:
    countdown = Countdown()
    assert countdown.told(800, 10.0) == "800 updates left"
    assert countdown.told(801 - TELLING_UPDATES, 18.0) == f"{801 - TELLING_UPDATES} updates left"
    assert countdown.told(700, 110.0) == "12 min left (700 updates)"
    assert countdown.told(40, 770.0) == "40 s left (40 updates)"
    assert countdown.told(0, 810.0) == "0 s left (0 updates)"
    assert countdown.told(900, 900.0) == "900 updates left", "a run that begins anew"
