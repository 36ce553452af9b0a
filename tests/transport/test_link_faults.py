"""The link on a bad day: whatever the network does, it comes back by itself and nothing is lost or doubled."""

import asyncio
import errno
import os
import ssl
import time
from pathlib import Path

import grpc
import pytest

from tests.transport.linked import Linked, Robot, join, log_bytes, until
from workers.model.events import LinkChanged, LinkState, PolicyPublished
from workers.model.orders import NewRecords, TakePolicy
from workers.transport.certificate import own_identity, pin_of
from workers.transport.channel import Credential, keep
from workers.transport.credentials import private_dir, state_dir
from workers.transport.link_errors import explained
from workers.transport.shelf import PolicyShelf


async def test_a_cut_link_comes_back_and_goes_on_behind_what_was_acknowledged(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.append(20)
    await linked.until_copied(robot)
    for _ in range(3):
        linked.proxy.cut()
        told = await robot.until_state(LinkState.DOWN)
        assert f"127.0.0.1:{linked.proxy.port}" in told.reason
        robot.append(20)
        linked.proxy.restore()
        await linked.until_copied(robot)
    await robot.until_state(LinkState.UP)


async def test_records_wait_for_a_learner_that_is_not_there(linked: Linked) -> None:
    await linked.learner.stop()
    robot = await linked.add_robot()
    robot.append(50)
    await robot.until_state(LinkState.DOWN)
    await until(lambda: robot.link.backlog == 50)
    size = len(log_bytes(robot.config.run_dir / "log"))
    assert robot.link.backlog_bytes == size
    await linked.learner.start()
    await linked.until_copied(robot)
    await until(lambda: robot.link.backlog == 0 and robot.link.backlog_bytes == 0)


async def test_a_link_that_starts_while_the_learner_is_away_tells_no_more_backlog_than_there_is(
    linked: Linked,
) -> None:
    robot = await linked.add_robot()
    robot.append(50)
    await linked.until_copied(robot)
    noted = robot.config.run_dir / "log" / "acknowledged"
    await until(lambda: noted.exists() and noted.read_text() == "50")
    await robot.stop()
    await linked.learner.stop()
    before = len(log_bytes(robot.config.run_dir / "log"))
    robot.append(7)
    robot.desk.events.clear()
    await robot.start()
    await robot.until_state(LinkState.DOWN)
    await until(lambda: robot.link.backlog == 7)
    assert max(told.backlog for told in robot.desk.of(LinkChanged)) == 7
    assert robot.link.backlog_bytes == len(log_bytes(robot.config.run_dir / "log")) - before


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (
            "failed to connect to all addresses; last error: FAILED_PRECONDITION: ipv4:10.9.0.2:50051: connect"
            " failed: addr: ipv4:10.9.0.2:50051 error: No route to host (113)",
            "nobody answers at gpu:50051 (no route): look at the network of this machine, and at learner_host"
            " (No route to host (113))",
        ),
        (
            "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:10.9.0.2:50051: connection timed out",
            "nobody answers at gpu:50051 (timed out): is that machine up? Otherwise look at learner_host",
        ),
        (
            "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:1: Handshake read failed"
            " (recvmsg:Connection reset by peer (104))",
            "nobody answers at gpu:50051 (it hangs up): at the end of an ssh tunnel no learner may be running",
        ),
        (
            "errors resolving gpu:50051: [field:hostname lookup error:address lookup failed for gpu:50051: Domain"
            " name not found]",
            "no host is called gpu: look at learner_host, or give its address (Domain name not found)",
        ),
        ("Socket \x1b[2J closed", "the connection to gpu:50051 broke (Socket  [2J closed)"),
    ],
)
def test_why_nobody_answers_is_told_in_words(details: str, words: str) -> None:
    nothing = grpc.aio.Metadata()
    error = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, details=details)
    assert str(explained("gpu:50051", error)).startswith(words)


async def test_another_certificate_is_told_with_both_pins(
    linked: Linked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    join(linked.learner.port)
    kept = own_identity(state_dir() / "learner").certificate.decode()
    other = own_identity(private_dir(tmp_path / "other"))
    await linked.learner.stop()
    keep(Credential(f"127.0.0.1:{linked.proxy.port}", other.certificate.decode(), "token", "run"))
    await linked.learner.start()
    robot = await linked.add_robot()
    told = await robot.until_state(LinkState.REFUSED)
    pins = [pin_of(ssl.PEM_cert_to_DER_cert(one)) for one in (kept, other.certificate.decode())]
    assert f"(pin {pins[0]}, not {pins[1]})" in told.reason


async def test_a_learner_that_nobody_started_is_told_in_words(linked: Linked) -> None:
    await linked.learner.stop()
    join(linked.learner.port)
    robot = Robot(linked.folder / "robot", linked.learner.port)
    linked.robots.append(robot)
    await robot.start()
    told = await robot.until_state(LinkState.DOWN)
    assert told.reason == (
        f"nobody listens at 127.0.0.1:{linked.learner.port}: is `hilserl-worker learner` running there?"
    )


async def test_a_machine_that_did_not_join_is_told_how(linked: Linked) -> None:
    robot = Robot(linked.folder / "robot", 50051, learner_host="192.0.2.1")
    linked.robots.append(robot)
    await robot.start()
    told = await robot.until_state(LinkState.REFUSED)
    assert "hilserl-tui join" in told.reason


async def test_a_half_open_link_is_noticed_within_eight_seconds(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.append(5)
    await linked.until_copied(robot)
    begun = time.monotonic()
    linked.proxy.black_hole()
    robot.append(5)
    told = await robot.until_state(LinkState.DOWN, within_s=10)
    assert time.monotonic() - begun <= 8.0
    assert told.reason
    linked.proxy.restore()
    await linked.until_copied(robot)


async def test_a_learner_killed_between_writing_and_acknowledging_doubles_nothing(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = await linked.add_robot()
    robot.append(10)
    await linked.until_copied(robot)
    with monkeypatch.context() as patch:
        patch.setattr("workers.transport.ingest_outbox.Outbox.ack", lambda *_: None)
        robot.append(10)
        await linked.until_copied(robot)
        assert robot.link.backlog
        await linked.learner.stop()
    await linked.learner.start()
    robot.append(10)
    await linked.until_copied(robot)
    await until(lambda: robot.link.backlog == 0)


async def test_a_thin_line_does_not_look_like_a_dead_one(linked: Linked) -> None:
    linked.proxy.throttle(200_000)
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    made = linked.proxy.accepted
    robot.append(60)  # 96 kB: four seconds
    await linked.until_copied(robot, within_s=30)
    assert linked.proxy.accepted == made
    assert robot.link.state is LinkState.UP


async def test_a_full_disk_at_the_learner_stops_acknowledgements_and_is_told(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = await linked.add_robot()
    robot.append(10)
    await linked.until_copied(robot)
    monkeypatch.setattr("workers.transport.link_worker.REFUSED_PERIOD_S", 0.5)
    real_write = os.write
    learners_log = linked.learner.log_of(robot)
    acknowledged = log_bytes(learners_log)

    def full(file: int, data: bytes) -> int:
        if os.readlink(f"/proc/self/fd/{file}").startswith(str(learners_log)):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("workers.transport.segment_writer.os.write", full)
        robot.append(10)
        told = await robot.until_state(LinkState.REFUSED)
        assert told.reason.startswith("The learner's disk is full; nothing is lost")
        await until(lambda: robot.link.backlog == 10)
        assert log_bytes(learners_log) == acknowledged
    await linked.until_copied(robot)
    await robot.until_state(LinkState.UP)


async def test_only_the_newest_of_many_policies_is_fetched(linked: Linked) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    shelf = PolicyShelf(linked.learner.config.run_dir / "policy")
    linked.proxy.throttle(4_000_000)
    for number in range(1, 9):
        shelf.put(number, os.urandom(300_000))
        linked.learner.desk.orders.append(TakePolicy(number))
        await asyncio.sleep(0.15)
    await until(lambda: PolicyPublished(8) in robot.desk.of(PolicyPublished))
    fetched = [event.version for event in robot.desk.of(PolicyPublished)]
    assert fetched == sorted(fetched) and len(fetched) <= 4
    assert PolicyShelf(robot.config.run_dir / "policy").read(8) == shelf.read(8)


async def test_an_interrupted_policy_goes_on_where_it_was(linked: Linked) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    data = os.urandom(3_000_000)
    PolicyShelf(linked.learner.config.run_dir / "policy").put(1, data)
    linked.proxy.throttle(12_000_000)
    before = linked.proxy.down_bytes
    linked.learner.desk.orders.append(TakePolicy(1))
    for part in (1, 2):
        await until(lambda: linked.proxy.down_bytes - before > part * 1_000_000)  # noqa: B023
        linked.proxy.drop()
    linked.proxy.restore()
    await until(lambda: robot.desk.of(PolicyPublished) == [PolicyPublished(1)])
    assert PolicyShelf(robot.config.run_dir / "policy").read(1) == data
    assert linked.proxy.down_bytes - before < 1.5 * len(data)


async def test_a_damaged_policy_is_never_laid_on_the_shelf(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    data = b"p" * 1000
    PolicyShelf(linked.learner.config.run_dir / "policy").put(1, data)
    with monkeypatch.context() as patch:
        patch.setattr("workers.transport.ingest_policies.Policies.chunk", lambda *_: b"x" * 1000)
        linked.learner.desk.orders.append(TakePolicy(1))
        await until(lambda: robot.link.policy_wanted == 1)
        await asyncio.sleep(0.3)
        assert robot.desk.of(PolicyPublished) == []
    await until(lambda: robot.desk.of(PolicyPublished) == [PolicyPublished(1)])
    assert PolicyShelf(robot.config.run_dir / "policy").read(1) == data


async def test_transitions_come_before_weights(linked: Linked) -> None:
    robot = await linked.add_robot()
    await robot.until_state(LinkState.UP)
    linked.proxy.throttle(8_000_000)
    before = linked.proxy.up_bytes
    robot.append(500)  # 0.8 MB: most of a second
    robot.desk.orders.append(NewRecords())
    await until(lambda: linked.proxy.up_bytes > before + 50_000)
    PolicyShelf(linked.learner.config.run_dir / "policy").put(1, os.urandom(20_000))
    linked.learner.desk.orders.append(TakePolicy(1))
    await until(lambda: bool(robot.desk.of(PolicyPublished)), 15)
    there, here = linked.learner.log_of(robot), robot.config.run_dir / "log"
    assert len(log_bytes(there)) > 0.5 * len(log_bytes(here))


async def test_a_backlog_drains_ten_times_faster_than_it_came(linked: Linked) -> None:
    await linked.learner.stop()
    robot = await linked.add_robot()
    robot.append(6000)  # ten minutes at 10 Hz
    await until(lambda: robot.link.backlog == 6000)
    await linked.learner.start()
    begun = time.monotonic()
    await linked.until_copied(robot, within_s=60)
    assert time.monotonic() - begun < 60
