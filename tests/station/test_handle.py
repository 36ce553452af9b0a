"""A worker that dies is restarted with its reason told; one that cannot go on is not; a stop leaves nothing."""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.altered import altered
from tests.config.effects_safety import REAL
from workers.model.events import Event, Level, LogLine, WorkerChanged, WorkerState
from workers.model.orders import Learn
from workers.robot.board import Board
from workers.runtime.harness import Desk, WorkerFailure
from workers.station.crew import crew
from workers.station.handle import WorkerHandle, WorkerSpec

SPAWN = multiprocessing.get_context("spawn")


def obedient(desk: Desk) -> None:
    sys.stdout.write("a line on standard output\n")
    while desk.alive():
        order = desk.next_order(0.02)
        if isinstance(order, Learn):
            desk.mailbox.emit(LogLine("w", Level.INFO, f"learn {order.on}"))


def silent(desk: Desk) -> None:
    desk.alive()
    time.sleep(60)


def busy(desk: Desk) -> None:
    desk.alive()
    time.sleep(2.5)  # one step of work, longer than a stopped process is waited for
    desk.mailbox.emit(LogLine("w", Level.INFO, "worked"))
    while desk.alive():
        time.sleep(0.05)


def importing(desk: Desk) -> None:
    time.sleep(60)  # as long as a large library takes on a slow disk; no beat yet


def crashing(desk: Desk) -> None:
    desk.alive()
    time.sleep(0.3)
    raise RuntimeError("the cable fell out")


def impossible(desk: Desk) -> None:
    desk.alive()
    time.sleep(0.3)
    raise WorkerFailure("no EGL here\n" + "a long way to say why " * 20 + "\nwhat to do: install libegl1")


def printing(desk: Desk) -> None:
    """50 MB of commands for a terminal, as fast as they go, and some words before and behind."""
    desk.alive()
    os.write(1, b"\x1b[31mbefore\x1b[0m the flood\n")
    time.sleep(0.3)
    for _ in range(50):
        os.write(1, b"\x1b[2J\x1b[H\x1b]0;owned\x07\x1bP1;2q\x1b\\" * 40_000)
    os.write(2, b"\n\x1b[5mafter\x07 the flood\x1b[0m\n")
    while desk.alive():
        time.sleep(0.05)


def chattering(desk: Desk) -> None:
    """10,000 lines of log a second, for two seconds."""
    end_s = time.monotonic() + 2.0
    while desk.alive() and time.monotonic() < end_s:
        for number in range(100):
            logging.info("line %d \x1b[31mred", number)
        time.sleep(0.01)
    raise WorkerFailure("that was all")


class Watcher:
    def __init__(self, main, tmp_path: Path, **limits: float) -> None:
        self.events: list[Event] = []
        self.started = 0
        spec = WorkerSpec("w", main, (), **{"silent_limit_s": 5.0, "stop_s": 2.0, **limits})
        self.handle = WorkerHandle(spec, SPAWN, tmp_path, self.events.append, self._on_started)
        self.task = asyncio.create_task(self.handle.keep_running())

    def _on_started(self, _: str) -> None:
        self.started += 1

    def states(self) -> list[WorkerState]:
        return [event.state for event in self.events if isinstance(event, WorkerChanged)]

    def said(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, LogLine)]

    def reasons(self) -> str:
        return " ".join(event.reason for event in self.events if isinstance(event, WorkerChanged))

    async def until(self, condition, limit_s: float = 30.0) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, (self.states(), self.reasons())
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        await self.handle.stop()
        await asyncio.wait_for(self.task, 10)


async def test_orders_go_in_events_come_out_and_output_is_captured(tmp_path: Path) -> None:
    watcher = Watcher(obedient, tmp_path)
    await watcher.until(lambda: watcher.started == 1)
    watcher.handle.give(Learn(True))
    await watcher.until(
        lambda: any(isinstance(e, LogLine) and e.text == "learn True" for e in watcher.events)
    )
    pid = watcher.handle.pid
    await watcher.stop()
    assert watcher.states()[-1] is WorkerState.STOPPED
    assert "a line on standard output" in (tmp_path / "w.out").read_text()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_order_for_a_worker_that_starts_is_left_to_its_standing_copy(tmp_path: Path) -> None:
    watcher = Watcher(obedient, tmp_path)
    await watcher.until(lambda: watcher.states() == [WorkerState.STARTING])
    watcher.handle.give(Learn(True))
    await watcher.until(lambda: watcher.started == 1)
    watcher.handle.give(Learn(False))
    await watcher.until(lambda: any(text.startswith("learn") for text in watcher.said()))
    await watcher.stop()
    assert [text for text in watcher.said() if text.startswith("learn")] == ["learn False"]


async def test_what_a_worker_said_last_is_told_before_its_death(tmp_path: Path) -> None:
    watcher = Watcher(crashing, tmp_path)
    await watcher.until(lambda: WorkerState.RESTARTING in watcher.states())
    kinds = [type(event) for event in watcher.events]
    restarting = watcher.states().index(WorkerState.RESTARTING)
    changes = [i for i, kind in enumerate(kinds) if kind is WorkerChanged]
    assert LogLine in kinds[: changes[restarting]]
    await watcher.stop()


async def test_a_killed_worker_comes_back_and_the_signal_is_named(tmp_path: Path) -> None:
    watcher = Watcher(obedient, tmp_path)
    await watcher.until(lambda: watcher.started == 1)
    first = watcher.handle.pid
    os.kill(first, signal.SIGKILL)
    await watcher.until(lambda: watcher.started == 2)
    assert watcher.handle.pid != first
    assert "SIGKILL" in watcher.reasons()
    assert watcher.handle.restarts == 1
    await watcher.stop()


async def test_a_silent_worker_is_killed_and_restarted(tmp_path: Path) -> None:
    watcher = Watcher(silent, tmp_path, silent_limit_s=0.5)
    await watcher.until(lambda: watcher.started == 2)
    assert "silent for" in watcher.reasons()
    await watcher.stop()


async def test_a_stopped_process_is_noticed_long_before_its_loop_would_be(tmp_path: Path) -> None:
    watcher = Watcher(obedient, tmp_path, silent_limit_s=60.0, frozen_limit_s=1.0)
    await watcher.until(lambda: watcher.started == 1)
    os.kill(watcher.handle.pid, signal.SIGSTOP)
    stopped_s = time.monotonic()
    await watcher.until(lambda: WorkerState.RESTARTING in watcher.states())
    assert time.monotonic() - stopped_s < 3.0
    assert "does not run" in watcher.reasons()
    await watcher.until(lambda: watcher.started == 2)
    await watcher.stop()


async def test_a_loop_that_is_busy_is_not_taken_for_a_stopped_process(tmp_path: Path) -> None:
    watcher = Watcher(busy, tmp_path, silent_limit_s=60.0, frozen_limit_s=1.5)
    await watcher.until(lambda: watcher.said() == ["worked"])
    assert watcher.handle.restarts == 0
    await watcher.stop()


async def test_at_the_end_a_stopped_process_is_not_waited_for_and_what_it_leaves_is_told(
    tmp_path: Path,
) -> None:
    words = "the rest is in the log"
    watcher = Watcher(
        obedient, tmp_path, stop_s=30.0, frozen_limit_s=1.0, silent_limit_s=60.0, if_killed=words
    )
    await watcher.until(lambda: watcher.started == 1)
    os.kill(watcher.handle.pid, signal.SIGSTOP)
    asked_s = time.monotonic()
    await watcher.stop()
    assert time.monotonic() - asked_s < 4.0
    assert watcher.states()[-1] is WorkerState.STOPPED and "does not run" in watcher.reasons()
    assert any(words in text for text in watcher.said())


def test_whoever_may_have_to_park_the_arm_is_not_cut_short_while_it_loads() -> None:
    """The guardian imports kinematics and opens the arm, without a beat, after the end of the run."""
    config = altered(REAL)
    specs = {spec.name: spec for spec in crew(config, Board.create(SPAWN, {}))}
    for name in ("robot", "guardian"):
        assert specs[name].stopping_silent_s >= specs[name].stop_s >= 15.0


async def test_a_crash_tells_its_last_words(tmp_path: Path) -> None:
    watcher = Watcher(crashing, tmp_path)
    await watcher.until(lambda: WorkerState.RESTARTING in watcher.states())
    assert "the cable fell out" in watcher.reasons()
    await watcher.stop()


async def test_a_worker_that_has_not_begun_is_not_waited_for(tmp_path: Path) -> None:
    watcher = Watcher(importing, tmp_path, stop_s=20.0)
    await watcher.until(lambda: watcher.handle.pid > 0)
    started = time.monotonic()
    await watcher.stop()
    assert time.monotonic() - started < 3.0


async def test_a_worker_that_cannot_go_on_is_not_restarted(tmp_path: Path) -> None:
    watcher = Watcher(impossible, tmp_path)
    await watcher.until(lambda: WorkerState.FAILED in watcher.states())
    reason = watcher.reasons().strip()
    assert reason.startswith("no EGL here a long way")  # no time, no level before it
    assert reason.endswith("what to do: install libegl1")
    assert watcher.handle.restarts == 0
    await asyncio.wait_for(watcher.task, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
async def test_workers_end_when_the_station_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_handle import Watcher, obedient\n"
        "async def main():\n"
        f"    w = Watcher(obedient, Path({str(tmp_path)!r}))\n"
        "    await w.until(lambda: w.started == 1)\n"
        "    print(w.handle.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    (tmp_path / "station.py").write_text(script)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(tmp_path / "station.py"), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert process.stdout is not None
    worker = int(await asyncio.wait_for(process.stdout.readline(), 40))
    process.kill()
    await process.wait()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and Path(f"/proc/{worker}").exists():
        state = Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state == "Z":
            break  # dead; this container's init has not collected it yet
        await asyncio.sleep(0.05)
    else:
        assert not Path(f"/proc/{worker}").exists()


@pytest.mark.timeout(60)
async def test_of_50_mb_of_escape_codes_the_words_reach_the_log_and_nothing_else(tmp_path: Path) -> None:
    watcher = Watcher(printing, tmp_path)
    await watcher.until(lambda: "after  the flood" in watcher.said())
    await watcher.stop()
    assert (tmp_path / "w.out").stat().st_size > 50_000_000
    assert "before the flood" in watcher.said()
    assert all(text.isprintable() and len(text) <= 2000 for text in watcher.said())
    assert len(watcher.said()) < 500


@pytest.mark.timeout(60)
async def test_of_10_000_lines_a_second_as_many_come_as_people_can_read(tmp_path: Path) -> None:
    watcher = Watcher(chattering, tmp_path)
    await watcher.until(lambda: WorkerState.FAILED in watcher.states())
    said = watcher.said()
    assert "that was all" in said and "line 7 red" in said
    assert 200 <= len(said) < 800
    assert any("lines more were logged: all of them are in w.out" in text for text in said)
    logged = (tmp_path / "w.out").read_text().count("INFO line")
    assert logged > 5_000, "the file has all"
