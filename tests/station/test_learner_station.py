"""The learner's station carries word between its two workers; its files and lines tell whoever looks after it."""

import asyncio
import os
import signal
import stat
import time
from pathlib import Path

import msgspec
import pytest

from workers.config import Config, load
from workers.config.ready import ready_config
from workers.model import events as e
from workers.model.orders import Invite, Learn, NewRecords, NoteSuccess, Order, TakePolicy, Tell
from workers.model.places import read_lock
from workers.model.state import ConsoleState
from workers.runtime.beginning import Beginning
from workers.station import learner_station as module
from workers.station import serving
from workers.station.crew import crew
from workers.station.handle import WorkerSpec
from workers.station.journal import Journal
from workers.station.learner_station import LearnerStation, Wishes
from workers.station.main import run_station
from workers.station.opening import RunLock, StationRefused, beginning_of, check_beginning
from workers.station.progress import ProgressLines
from workers.station.serving import INVITATION_NAME, ServingLines, address_of, figures, run_learner
from workers.station.station import Station

PROGRESS = e.LearnerProgress(10, 5, 2.0, 4.0, 3, "training")


class Handle:
    """A worker that is always well and keeps its orders."""

    def __init__(self, spec: WorkerSpec, context, run_dir, on_event, on_started) -> None:
        self.spec, self.on_event, self.on_started = spec, on_event, on_started
        self.orders: list[Order] = []
        self.stopped = asyncio.Event()

    def give(self, order: Order) -> None:
        self.orders.append(order)

    async def keep_running(self) -> None:
        await self.stopped.wait()

    async def stop(self) -> None:
        self.stopped.set()

    def kill(self) -> None:
        pass


def config_in(folder: Path, **link: object) -> Config:
    table = msgspec.to_builtins(load(ready_config()))
    table["run"]["directory"] = str(folder)
    table["policy"]["actor_learner_config"] |= link
    config = msgspec.convert(table, Config)
    config.run_dir.mkdir(parents=True)
    return config


class Bench:
    """A learner's station with made-up workers."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "WorkerHandle", Handle)
        self.events: list[e.Event] = []
        config = config_in(folder)
        self.run_dir = config.run_dir
        self.station = LearnerStation(config, "127.0.0.1:50051", Beginning.AS_LEFT, self.events.append)
        self.ingest: Handle = self.station._handles["ingest"]  # type: ignore[assignment]
        self.learner: Handle = self.station._handles["learner"]  # type: ignore[assignment]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def seen(**linked: bool) -> e.ActorsSeen:
    return e.ActorsSeen(tuple(e.ActorSeen(name, "host", on, 7, 0.1) for name, on in linked.items()))


def test_what_the_learner_tells_goes_to_every_actor(bench: Bench) -> None:
    line = e.LogLine("learner", e.Level.WARNING, "checkpoint passed over")
    filled = e.BufferFilled(1, 2, 3, 4, 5)
    for event in (PROGRESS, filled, line):
        bench.learner.on_event(event)
    assert bench.ingest.orders == [Tell(PROGRESS), Tell(filled), Tell(line)]
    bench.ingest.on_event(e.LogLine("ingest", e.Level.INFO, "kim joined from 10.0.0.9"))
    assert len(bench.ingest.orders) == 3  # what strangers do at the door is this machine's business


def test_a_policy_is_offered_and_again_by_an_ingest_worker_that_was_restarted(bench: Bench) -> None:
    bench.learner.on_event(e.PolicyPublished(4))
    bench.learner.on_event(e.PolicyPublished(5))
    bench.ingest.orders.clear()
    bench.ingest.on_started("ingest")
    assert set(bench.ingest.orders) == {TakePolicy(5), Invite()}


def test_new_records_wake_the_learner(bench: Bench) -> None:
    bench.ingest.on_event(e.Recorded())
    assert bench.learner.orders == [NewRecords()]


def test_the_learner_learns_while_any_linked_actor_wants_it_and_all_have_demonstrated_when_all_say_so(
    bench: Bench,
) -> None:
    for event in (
        e.LearnWished("arm", True, False),
        seen(arm=True),
        e.LearnWished("left", False, False),
        seen(arm=True, left=True),
        e.LearnWished("arm", True, True),
        e.LearnWished("left", False, True),
    ):
        bench.ingest.on_event(event)
    assert bench.learner.orders == [Learn(True), Learn(True, all_demonstrated=True)]
    bench.ingest.on_event(seen(arm=False, left=True))
    assert bench.learner.orders[-1] == Learn(False, all_demonstrated=True)
    bench.learner.on_started("learner")
    assert bench.learner.orders[-1] == Learn(False, all_demonstrated=True)


def test_in_an_outage_of_all_actors_the_last_word_stands() -> None:
    wishes = Wishes()
    assert wishes.order() == Learn(False)
    wishes.note(e.LearnWished("arm", True, True, 7))
    assert wishes.order() == Learn(True, all_demonstrated=True, newest_policy=7)
    wishes.keep_linked(seen(arm=False))
    assert wishes.order() == Learn(True, all_demonstrated=True, newest_policy=7)
    wishes.note(e.LearnWished("left", False, False))
    wishes.keep_linked(seen(arm=False, left=True))
    assert wishes.order() == Learn(False)


async def test_the_actors_are_told_that_the_learner_died_and_a_failure_ends_the_station(bench: Bench) -> None:
    run = asyncio.create_task(bench.station.run())
    await asyncio.sleep(0)
    bench.learner.on_event(e.WorkerChanged("learner", e.WorkerState.RESTARTING, "died of SIGKILL", 1))
    (told,) = [order.event for order in bench.ingest.orders if isinstance(order, Tell)]
    assert isinstance(told, e.LogLine) and "SIGKILL" in told.text
    assert not run.done()
    bench.ingest.on_event(e.WorkerChanged("ingest", e.WorkerState.FAILED, "port 50051 is taken"))
    assert await run == "ingest failed: port 50051 is taken"


async def test_term_ends_in_order(bench: Bench) -> None:
    run = asyncio.create_task(bench.station.run())
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run == ""
    assert bench.ingest.stopped.is_set() and bench.learner.stopped.is_set()


async def test_usr1_asks_for_a_join_line_as_soon_as_the_lock_is_there_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the modules load, the signal is kept; a line that nobody asked for is printed, but in no file."""
    monkeypatch.setattr(module, "WorkerHandle", Handle)
    stations: list[LearnerStation] = []
    plain_run = LearnerStation.run
    monkeypatch.setattr(LearnerStation, "run", lambda self: (stations.append(self), plain_run(self))[1])
    unheard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: unheard.append(number))
    monkeypatch.setattr(serving, "check_disk", lambda run_dir: os.kill(os.getpid(), signal.SIGUSR1))
    run = asyncio.create_task(run_learner(with_lines(tmp_path, "")))
    try:
        await asyncio.sleep(0.1)
        assert unheard == []
        ingest: Handle = stations[0]._handles["ingest"]  # type: ignore[assignment]
        assert ingest.orders == [Invite()]
        place = tmp_path / load(ready_config()).run.name / INVITATION_NAME
        ingest.on_event(e.Invited("hilserl-tui join ASKED", "ssh"))
        assert "ASKED" in place.read_text()
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        place.unlink()
        ingest.on_event(e.Invited("hilserl-tui join UNASKED", "ssh"))
        assert not place.exists()
        assert "UNASKED" in capsys.readouterr().out
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        assert await run == 0
        signal.signal(signal.SIGUSR1, before)


async def test_what_a_learner_writes_is_its_owners_alone_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WorkerHandle", Handle)
    before = os.umask(0)
    try:
        run = asyncio.create_task(run_learner(with_lines(tmp_path, "")))
        await asyncio.sleep(0.1)
        run_dir = tmp_path / load(ready_config()).run.name
        made = [run_dir, *run_dir.rglob("*")]
        os.kill(os.getpid(), signal.SIGTERM)
        assert await run == 0
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert {path.name for path in made} >= {"events.jsonl", "station.lock"}
    assert not [path for path in made if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_the_end_says_what_is_on_disk(bench: Bench) -> None:
    said: list[str] = []
    lines = ServingLines(load(ready_config()), "127.0.0.1:50051", said.append)
    lines._run_dir = bench.run_dir
    lines.end("", ConsoleState())
    bench.learner.on_event(PROGRESS)
    lines.end("learner failed: another process is gone", bench.station.state)
    (bench.run_dir / "checkpoints").mkdir()
    for step in (4, 12):
        (bench.run_dir / "checkpoints" / "LATEST").write_text(f"step-{step:08d}")
        lines.end("", bench.station.state)
    assert [line.split("  ")[1] for line in said[1:]] == [
        "ended, nothing to save",
        "ended: learner failed: another process is gone; no checkpoint was written, 10 updates are lost",
        "ended, saved at update 4, the 6 updates after it are lost",
        "ended, saved at update 12",
    ]


def test_the_join_line_is_printed_and_never_journaled(tmp_path: Path, bench: Bench) -> None:
    said: list[str] = []
    lines = ServingLines(load(ready_config()), "0.0.0.0:50051", said.append)
    lines._run_dir = bench.run_dir
    lines.invitation_asked()
    invited = e.Invited("hilserl-tui join h:1 --pin p --token SECRET", "ssh -N -L 1:127.0.0.1:1 kim@h")
    bench.ingest.on_event(invited)
    lines.on_event(invited, ConsoleState())
    assert "listening at 0.0.0.0:50051" in said[0]
    assert "SECRET" in said[1] and "one use" in said[1] and "ssh -N" in said[1]
    assert stat.S_IMODE((bench.run_dir / INVITATION_NAME).stat().st_mode) == 0o600
    assert "SECRET" not in (bench.run_dir / "events.jsonl").read_text()


def test_who_comes_and_who_goes_is_one_line_each() -> None:
    said: list[str] = []
    lines = ServingLines(load(ready_config()), "127.0.0.1:50051", said.append)
    for event in (seen(arm=True), seen(arm=True), seen(arm=True, left=True), seen(arm=False, left=True)):
        lines.on_event(event, ConsoleState())
    assert [line.split("  ")[1] for line in said[1:]] == [
        "actor arm on host is linked, 7 records here",
        "actor left on host is linked, 7 records here",
        "actor arm on host is gone, 7 records here",
    ]


def test_what_comes_from_elsewhere_commands_no_terminal(bench: Bench) -> None:
    said: list[str] = []
    lines = ServingLines(load(ready_config()), "127.0.0.1:50051", said.append)
    lines.on_event(e.LogLine("ingest", e.Level.INFO, "\x1b]0;mine\x07 kim\rjoined"), ConsoleState())
    robots = ProgressLines(0.0, ConsoleState(), said.append)
    robots.on_event(e.LearnerProgress(1, 1, 1.0, 1.0, 1, "\x1b[2J\x9b2Jtraining"))
    robots.on_event(e.LinkChanged(e.LinkState.REFUSED, "h:1", "\x1b[2J no"))
    assert all(word in line for word, line in zip(("mine", "training", "no"), said[1:], strict=True))
    assert all(line.isprintable() for line in said)


def test_a_link_that_is_not_up_tells_how_long_and_how_much_waits() -> None:
    said: list[str] = []
    lines = ProgressLines(0.0, ConsoleState(), said.append)
    since_s = time.monotonic() - 84.0
    lines.on_event(e.LinkChanged(e.LinkState.DOWN, "h:1", "gone", since_s, 840, 82_320_000))
    assert said[-1].endswith("link down for 84 s, 840 records (82.3 MB) wait")


def test_the_figures_name_updates_ratio_actors_and_policy(bench: Bench) -> None:
    bench.learner.on_event(PROGRESS)
    bench.ingest.on_event(seen(arm=True, left=False))
    line = figures(bench.station.state)
    for words in ("updates 10", "UTD 2.00", "actors 1 of 2 linked", "records 14", "policy 3", "training"):
        assert words in line


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        (None, "127.0.0.1:50051"),
        ("0.0.0.0", "0.0.0.0:50051"),
        ("0.0.0.0:7", "0.0.0.0:7"),
        ("::1", "[::1]:50051"),
        ("[::1]:7", "[::1]:7"),
        ("gpu.lab", "gpu.lab:50051"),
    ],
)
def test_it_listens_on_loopback_unless_told_otherwise(listen: str | None, address: str) -> None:
    assert address_of(load(ready_config()), listen) == address


@pytest.mark.parametrize("listen", ["", "a b", "10.0.0.5:port"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(StationRefused, match="--listen"):
        address_of(load(ready_config()), listen)


def test_a_link_and_its_actors_enter_the_journal_only_when_they_change(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    up, down = e.LinkState.UP, e.LinkState.DOWN
    for state, backlog in ((up, 1), (up, 2), (down, 3), (down, 4), (up, 5)):
        journal.write(e.LinkChanged(state, "h:1", backlog=backlog))
    for records in (1, 2):
        journal.write(e.ActorsSeen((e.ActorSeen("arm", "h", True, records, 0.0),)))
    journal.close()
    journal.write(e.LogLine("learner", e.Level.INFO, "too late", 0.0))
    written = [msgspec.json.decode(line)["event"] for line in (tmp_path / "events.jsonl").open()]
    assert [line.get("backlog") for line in written] == [1, 3, 5, None]


def test_the_link_takes_the_learners_place_in_the_crew(tmp_path: Path) -> None:
    there = crew(config_in(tmp_path / "a", learner_host="10.0.0.5"), None)  # type: ignore[arg-type]
    here = crew(config_in(tmp_path / "b"), None)  # type: ignore[arg-type]
    assert [spec.name for spec in there] == [spec.name for spec in here]
    assert [(a.name, a.nice) for a, b in zip(here, there, strict=True) if a.main is not b.main] == [
        ("learner", 10)
    ]


def test_resume_needs_a_checkpoint_and_a_learner_here(tmp_path: Path) -> None:
    assert beginning_of(True, False) is Beginning.RESUME and beginning_of(False, False) is Beginning.AS_LEFT
    with pytest.raises(StationRefused, match="exclude each other"):
        beginning_of(True, True)
    config = config_in(tmp_path)
    with pytest.raises(StationRefused, match="no checkpoint"):
        check_beginning(config, Beginning.RESUME)
    check_beginning(config, Beginning.FRESH)
    (config.run_dir / "checkpoints" / "step-00000004").mkdir(parents=True)
    check_beginning(config, Beginning.RESUME)


def with_lines(folder: Path, more: str) -> Path:
    path = folder / "changed.toml"
    text = ready_config().read_text().replace('directory = "runs"', f'directory = "{folder}"')
    path.write_text(
        text.replace("[policy.actor_learner_config]\n", f"[policy.actor_learner_config]\n{more}\n")
    )
    return path


async def test_a_robot_whose_learner_is_elsewhere_leaves_resume_and_fresh_to_it(tmp_path: Path) -> None:
    path = with_lines(tmp_path, 'learner_host = "10.0.0.5"')
    for beginning in (Beginning.RESUME, Beginning.FRESH):
        with pytest.raises(StationRefused, match=f"give --{beginning} to `hilserl-worker learner`"):
            await run_station(path, beginning=beginning)


async def test_a_robot_pc_needs_none_of_the_learners_devices(tmp_path: Path) -> None:
    path = with_lines(tmp_path, 'learner_host = "10.0.0.5"')
    path.write_text(path.read_text().replace('[policy]\ndevice = "cpu"', '[policy]\ndevice = "mps"'))
    from workers.station.check import checked

    checked(path)
    with pytest.raises(StationRefused, match=r"policy\.device"):
        await run_learner(path)


def test_a_second_learner_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    config = config_in(tmp_path)
    with RunLock(config, tmp_path / "c.toml", serves=False):
        lock = read_lock(config.run_dir)
        assert lock is not None and lock.socket == ""
        with pytest.raises(StationRefused, match=r"a learner \(pid"), RunLock(config, tmp_path / "c.toml"):
            pass
    assert read_lock(config.run_dir) is None


def test_the_learner_is_told_how_a_policy_did_at_an_actor_once_and_when_it_starts_again(bench: Bench) -> None:
    for _ in range(2):
        bench.ingest.on_event(e.Evaluated(7, 8, 10))
    assert bench.learner.orders == [NoteSuccess(7, 8, 10)]
    bench.learner.on_started("learner")
    assert bench.learner.orders == [NoteSuccess(7, 8, 10)] * 2


async def test_the_learner_is_told_how_an_evaluation_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    station = Station(config_in(tmp_path), tmp_path / "c.toml", None, wait_for_start=True)
    given: list[Order] = []
    station._handles["learner"].give = given.append  # type: ignore[method-assign]
    station._fold(e.EvaluationProgress(3, 4, 10, 7))
    station._fold(e.EvaluationProgress(8, 10, 10, 7, finished=True))
    assert given == [NoteSuccess(7, 8, 10)]
