"""The link on a good day: records there, acknowledgements and policies back, word both ways."""

import asyncio
import itertools
import os
import shutil
import threading
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from tests.transport.linked import FEATURES, Linked, Robot, log_bytes, records, until
from workers.model.events import (
    ActorSeen,
    ActorsSeen,
    BufferFilled,
    Evaluated,
    LearnerProgress,
    LearnWished,
    Level,
    LinkState,
    LogLine,
    PolicyPublished,
    Recorded,
)
from workers.model.orders import Learn, NewRecords, NoteSuccess, TakePolicy, Tell
from workers.transport.ingest_hello import Refusal
from workers.transport.link_reports import Reports
from workers.transport.log import LogReader, LogWriter
from workers.transport.pb import learner_pb2 as pb
from workers.transport.shelf import PolicyShelf


async def test_what_the_actor_records_is_at_the_learner_byte_for_byte(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.append(30)
    await linked.until_copied(robot)
    robot.append(100)
    robot.desk.orders.append(NewRecords())
    await linked.until_copied(robot)
    await until(lambda: robot.link.backlog == 0 and robot.link.state is LinkState.UP)
    assert robot.link.round_trip_ms < 1000
    assert linked.learner.desk.of(Recorded)


async def test_pictures_travel_as_jpeg_when_the_configuration_says_so(linked: Linked) -> None:
    robot = await linked.add_robot(image_format="jpeg")
    robot.append(33)
    there = linked.learner.log_of(robot)
    await until(lambda: count(there) == 33)
    mine = LogReader(robot.config.run_dir / "log").read_new()
    theirs = LogReader(there).read_new()
    assert [(r.seq, r.session, type(r), r.episode) for r in theirs] == [
        (r.seq, r.session, type(r), r.episode) for r in mine
    ]
    assert log_bytes(there) != log_bytes(robot.config.run_dir / "log")
    assert all(r.images is not None and r.images.shape == (2, 16, 16, 3) for r in theirs)


def count(log: Path) -> int:
    return len(LogReader(log).read_new())


async def test_the_learners_log_can_be_read_by_its_owner_only(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.append(1)
    await linked.until_copied(robot)
    directory = linked.learner.log_of(robot)
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert modes.keys() == {"00000000.seg", "epoch", "spec.json", "writer.lock"}
    assert set(modes.values()) == {0o600} and directory.stat().st_mode & 0o777 == 0o700


async def test_only_what_is_on_the_disk_is_acknowledged(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    may_sync = threading.Event()

    def slow_sync(descriptor: int) -> None:
        if threading.current_thread().name.startswith("log-arm"):
            may_sync.wait(10)

    monkeypatch.setattr("workers.transport.segment_writer.os.fdatasync", slow_sync)
    robot.append(5)
    await until(lambda: log_bytes(linked.learner.log_of(robot)) != b"")
    await asyncio.sleep(1.2)
    assert robot.link.backlog == 5
    assert linked.learner.desk.of(Recorded) == []
    may_sync.set()
    await until(lambda: robot.link.backlog == 0)


async def test_nothing_leaves_that_is_not_on_the_robots_own_disk(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    may_sync = threading.Event()
    monkeypatch.setattr("workers.transport.link_log.os.fdatasync", lambda _: may_sync.wait(10))
    robot.append(5)
    await asyncio.sleep(1.0)
    assert log_bytes(linked.learner.log_of(robot)) == b""
    may_sync.set()
    await linked.until_copied(robot)


async def test_what_the_station_wants_of_the_learner_arrives_and_is_said_again_after_a_break(
    linked: Linked,
) -> None:
    robot = await linked.add_robot()
    robot.desk.orders.append(Learn(True))
    robot.desk.orders.append(Learn(True, all_demonstrated=True))
    wished = linked.learner.desk.of
    await until(lambda: wished(LearnWished)[-1:] == [LearnWished("arm", True, True)])
    linked.learner.desk.events.clear()
    linked.proxy.drop()
    await until(lambda: wished(LearnWished) == [LearnWished("arm", True, True)])


async def test_how_an_evaluation_went_reaches_the_learner_also_when_there_was_no_link_then(
    linked: Linked,
) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    robot.desk.orders.append(NoteSuccess(7, 8, 10))
    told = linked.learner.desk.of
    await until(lambda: told(Evaluated) == [Evaluated(7, 8, 10)])
    await linked.learner.stop()
    robot.desk.orders.append(NoteSuccess(9, 10, 10))
    await robot.until_state(LinkState.DOWN)
    await linked.learner.start()
    await until(lambda: told(Evaluated)[1:] == [Evaluated(9, 10, 10)])


async def test_the_learner_is_told_once_which_policy_lies_on_the_robot_pc(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.desk.orders.append(Learn(True))
    wished = linked.learner.desk.of
    await until(lambda: wished(LearnWished) == [LearnWished("arm", True, False)])
    PolicyShelf(linked.learner.config.run_dir / "policy").put(7, b"seven")
    linked.learner.desk.orders.append(TakePolicy(7))
    await until(lambda: PolicyPublished(7) in robot.desk.events)
    robot.desk.orders += [Learn(True), Learn(True)]
    await until(lambda: wished(LearnWished)[1:] == [LearnWished("arm", True, False, 7)])
    await asyncio.sleep(0.3)
    assert len(wished(LearnWished)) == 2


async def test_what_the_learner_tells_is_told_on_the_robot_pc(linked: Linked) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    progress = LearnerProgress(7, 8, 2.0, 3.5, 4, "training", {"loss": 0.5})
    filled = BufferFilled(1, 2, 3, 4, 5)
    hostile = LogLine("learner", Level.WARNING, "a\x1b[2J\x07b\nc", 1.0)
    seen = ActorsSeen((ActorSeen("arm", "\x1b]0;pwned\x07", True, 3, 0.5),))
    strange = LearnerProgress(7, 8, 2.0, 3.5, 4, "\x1b[2J", {"\x07loss": 0.5})
    linked.learner.desk.orders += [Tell(progress), Tell(filled), Tell(seen), Tell(strange), Tell(hostile)]
    await until(lambda: bool(robot.desk.of(LogLine)))
    cleaned = LearnerProgress(7, 8, 2.0, 3.5, 4, " [2J", {" loss": 0.5})
    assert robot.desk.of(LearnerProgress) == [progress, cleaned]
    assert ActorsSeen((ActorSeen("arm", " ]0;pwned ", True, 3, 0.5),)) in robot.desk.of(ActorsSeen)
    assert robot.desk.of(BufferFilled) == [filled]
    assert [line.text for line in robot.desk.of(LogLine)] == ["a [2J b c"]


def test_a_report_that_is_too_large_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    def packed(text: str) -> bytes:
        return msgspec.msgpack.encode(LogLine("learner", Level.INFO, text))

    reports = Reports()
    told = reports.events(pb.Report(events=[packed("x" * 4097), b"\xc1", packed("fine")]))
    assert [event.text for event in told if isinstance(event, LogLine)] == ["fine"]
    assert list(reports.events(pb.Report(events=[packed("x" * 4000)] * 70))) == []
    assert reports.dropped == 3
    assert len(caplog.messages) == 1 and "4,097 letters" in caplog.messages[0]


async def test_what_a_refusal_says_cannot_touch_the_terminal(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = Refusal(pb.REFUSED_CODE_RUN, "\x1b]0;pwned\x07 other run", "\x1b[2J")
    monkeypatch.setattr("workers.transport.ingest_hello.Expected.admit", Raiser(hostile))
    robot = await linked.add_robot()
    told = await robot.until_state(LinkState.REFUSED)
    assert told.reason == "]0;pwned  other run  [2J"


class Raiser:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, *_: object) -> None:
        raise self._error


async def test_a_policy_is_fetched_verified_and_laid_on_the_shelf_with_its_frozen_part_once(
    linked: Linked,
) -> None:
    shelf = PolicyShelf(linked.learner.config.run_dir / "policy")
    frozen = os.urandom(700_000)
    shelf.put_frozen(sha256(frozen).hexdigest(), frozen)
    shelf.put(1, b"one" * 100_000)
    linked.learner.desk.orders.append(TakePolicy(1))
    robot = await linked.add_robot()
    here = PolicyShelf(robot.config.run_dir / "policy")
    await until(lambda: robot.desk.of(PolicyPublished) == [PolicyPublished(1)])
    assert here.read(1) == b"one" * 100_000
    assert here.frozen() == (sha256(frozen).hexdigest(), frozen)
    before = linked.proxy.down_bytes
    shelf.put(2, b"two" * 100_000)
    linked.learner.desk.orders.append(TakePolicy(2))
    await until(lambda: robot.desk.of(PolicyPublished)[1:] == [PolicyPublished(2)])
    assert here.read(2) == b"two" * 100_000
    assert 300_000 < linked.proxy.down_bytes - before < 400_000
    await until(lambda: robot.link.policy_wanted == 0)


async def test_a_policy_from_before_is_told_while_there_is_no_link(linked: Linked) -> None:
    await linked.learner.stop()
    robot = Robot(linked.folder / "robot", linked.proxy.port)
    PolicyShelf(robot.config.run_dir / "policy").put(3, b"three")
    linked.robots.append(robot)
    await robot.start()
    await until(lambda: robot.desk.of(PolicyPublished) == [PolicyPublished(3)])


async def test_several_actors_have_a_log_each_and_are_seen(linked: Linked) -> None:
    left = await linked.add_robot("left", actor_id="left")
    right = await linked.add_robot("right", actor_id="right")
    left.append(10)
    right.append(20)
    await linked.until_copied(left)
    await linked.until_copied(right)
    assert len(linked.learner.logs()) == 2
    await until(lambda: seen_records(linked) == {"left": 10, "right": 20})
    await right.stop()
    seen = linked.learner.desk.of
    connected = {"left": True, "right": False}
    await until(lambda: {a.actor_id: a.connected for a in seen(ActorsSeen)[-1].actors} == connected)


def seen_records(linked: Linked) -> dict[str, int]:
    seen = linked.learner.desk.of(ActorsSeen)
    return {actor.actor_id: actor.records for actor in seen[-1].actors} if seen else {}


async def test_a_wiped_actor_begins_another_log(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.append(10)
    await linked.until_copied(robot)
    await robot.stop()
    robot.log.close()
    shutil.rmtree(robot.config.run_dir / "log")
    anew = await linked.add_robot()
    anew.append(4)
    await linked.until_copied(anew)
    assert sorted(count(path) for path in linked.learner.logs().values()) == [4, 10]


@pytest.mark.parametrize("image_format", ["raw", "jpeg"])
async def test_a_run_that_was_carried_to_the_learner_goes_on_there_and_nothing_is_doubled(
    linked: Linked, image_format: str
) -> None:
    robot = Robot(linked.folder / "robot", linked.proxy.port, image_format=image_format)
    linked.robots.append(robot)
    robot.append(40)
    await linked.learner.stop()
    shutil.copytree(robot.config.run_dir, linked.learner.config.run_dir, dirs_exist_ok=True)
    await linked.learner.start()
    sent = linked.proxy.up_bytes
    await robot.start()
    robot.append(20)
    there = linked.learner.config.run_dir / "log"
    await until(lambda: count(there) == 60)
    assert linked.learner.logs() == {"": there}
    assert linked.proxy.up_bytes - sent < 70_000  # all sixty are more than 96 kB
    mine = LogReader(robot.config.run_dir / "log").read_new()
    theirs = LogReader(there).read_new()
    assert [(r.seq, r.session, r.episode) for r in theirs] == [(r.seq, r.session, r.episode) for r in mine]
    await until(lambda: seen_records(linked) == {"arm": 60})


async def test_a_copy_of_a_log_under_another_name_is_refused_while_the_first_is_linked(
    linked: Linked,
) -> None:
    robot = await linked.add_robot()
    robot.append(20)
    await linked.until_copied(robot)
    shutil.copytree(robot.config.run_dir / "log", linked.folder / "copy" / "run" / "log")
    copy = await linked.add_robot("copy", actor_id="left")
    told = await copy.until_state(LinkState.REFUSED)
    assert "from the same log, as 'arm'" in told.reason and "`log` folder aside" in told.reason


@pytest.mark.parametrize("image_format", ["raw", "jpeg"])
async def test_a_log_that_was_set_back_and_grew_again_is_refused_before_anything_is_sent(
    linked: Linked, image_format: str
) -> None:
    robot = await linked.add_robot(image_format=image_format)
    robot.append(11)  # the end of an episode is the newest
    log = robot.config.run_dir / "log"
    there = linked.learner.log_of(robot)
    await until(lambda: count(there) == 11)
    shutil.copytree(log, log.with_name("backup"))
    robot.append(22)
    await until(lambda: count(there) == 33)
    await robot.stop()
    robot.log.close()
    kept = log_bytes(there)
    shutil.rmtree(log)
    log.with_name("backup").rename(log)
    with LogWriter(log, FEATURES) as writer:  # as many openings, as many records, other ones
        writer.session = 0
        for record in itertools.islice(records(FEATURES, first_episode=9), 44):
            writer.append(record)
    await robot.start()
    told = await robot.until_state(LinkState.REFUSED)
    assert "set back" in told.reason and "`log` folder aside" in told.reason
    assert log_bytes(there) == kept


async def test_a_log_that_was_set_back_is_refused_in_words(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.append(10)
    await linked.until_copied(robot)
    await robot.stop()
    segment = robot.config.run_dir / "log" / "00000000.seg"
    os.truncate(segment, segment.stat().st_size // 2)
    await robot.start()
    told = await robot.until_state(LinkState.REFUSED)
    assert "The learner has 10 records of this log, but there are fewer here" in told.reason
