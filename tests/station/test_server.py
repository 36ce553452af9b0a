"""Consoles get a snapshot and then every event; one holds the controls; anyone may stop; a deaf one is cut off."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from workers.model import commands as c
from workers.model import events as e
from workers.model import wire
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.station.server import Server


class Peer:
    """A console's end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(
        cls,
        path: Path,
        name: str = "c",
        role: wire.Role = wire.Role.CONSOLE,
        protocol: int = wire.PROTOCOL_VERSION,
    ) -> "Peer":
        peer = cls(*await asyncio.open_unix_connection(str(path)))
        peer.send(wire.Hello(protocol, role, name))
        return peer

    def send(self, message) -> None:
        self.writer.write(wire.frame(message))

    async def read(self) -> wire.FromStation:
        head = await asyncio.wait_for(self.reader.readexactly(wire.HEAD_BYTES), 3)
        return wire.decode_from_station(await self.reader.readexactly(wire.frame_length(head)))


class Station:
    """What a server needs around it."""

    def __init__(self, path: Path) -> None:
        self.state = ConsoleState()
        self.commands: list[c.Command] = []
        self.stops: list[str] = []
        self.server = Server(
            path, lambda: self.state, self.commands.append, self.stops.append, lambda: None, self.look
        )

    def look(self, console: str, look: c.Look) -> e.Looked:
        return e.Looked(look.number, look.camera, f"seen by {console}")

    def emit(self, event: e.Event) -> None:
        self.state = reduce(self.state, event)
        self.server.broadcast(event)


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    made = Station(tmp_path / "s.sock")
    await made.server.start()
    yield made
    await made.server.close()


def drive(at_s: float) -> c.Drive:
    return c.Drive((1, 0, 0), 0, at_s)


async def settle() -> None:
    await asyncio.sleep(0.1)


async def test_the_socket_is_its_owners_alone(station: Station, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "s.sock").stat().st_mode) == 0o600


async def test_snapshot_plus_events_is_the_stations_own_state(station: Station, tmp_path: Path) -> None:
    station.emit(e.LogLine("actor", e.Level.INFO, "before"))
    peer = await Peer.connect(tmp_path / "s.sock")
    welcome = await peer.read()
    assert isinstance(welcome, wire.Welcome)
    state = welcome.snapshot
    for i in range(5):
        station.emit(e.LogLine("actor", e.Level.INFO, str(i)))
    while state != station.state:
        batch = await peer.read()
        assert isinstance(batch, wire.Batch)
        for event in batch.events:
            state = reduce(state, event)
    assert [line.text for line in state.log] == ["before", "0", "1", "2", "3", "4"]


async def test_another_protocol_is_refused_with_what_to_do(station: Station, tmp_path: Path) -> None:
    peer = await Peer.connect(tmp_path / "s.sock", protocol=99)
    answer = await peer.read()
    assert isinstance(answer, wire.Refused)
    assert "99" in answer.reason and "upgrade the station" in answer.fix


async def test_only_the_holder_drives_but_anyone_stops(station: Station, tmp_path: Path) -> None:
    first = await Peer.connect(tmp_path / "s.sock", "first")
    await first.read()
    first.send(c.TakeControl("first"))
    second = await Peer.connect(tmp_path / "s.sock", "second")
    await second.read()
    second.send(c.Intervene(True))
    second.send(c.Stop())
    await settle()
    assert station.commands == []
    assert station.stops == ["second"]
    second.send(c.TakeControl("second"))
    second.send(c.Intervene(True))
    await settle()
    assert station.commands == [c.Intervene(True)]


async def test_who_only_looks_never_holds_the_controls(station: Station, tmp_path: Path) -> None:
    watcher = await Peer.connect(tmp_path / "s.sock", "watcher")
    await watcher.read()
    watcher.send(c.RenewLease())
    watcher.send(c.Intervene(True))
    watcher.send(c.ShutDown())
    await settle()
    assert station.server.holder is None
    assert station.server.lease_age_s() is None
    assert station.commands == []


async def test_the_controls_are_free_when_their_holder_leaves(station: Station, tmp_path: Path) -> None:
    holder = await Peer.connect(tmp_path / "s.sock", "holder")
    await holder.read()
    holder.send(c.TakeControl("holder"))
    watcher = await Peer.connect(tmp_path / "s.sock", "watcher")
    await watcher.read()
    await settle()
    assert station.server.holder is not None
    holder.writer.close()
    await settle()
    assert station.server.holder is None
    assert [console.name for console in station.server.consoles] == ["watcher"]


async def test_the_stop_connection_carries_stop_and_nothing_else(station: Station, tmp_path: Path) -> None:
    holder = await Peer.connect(tmp_path / "s.sock", "holder")
    holder.send(c.TakeControl("holder"))
    stopper = await Peer.connect(tmp_path / "s.sock", "stopper", wire.Role.STOP)
    stopper.send(c.ShutDown())
    stopper.send(c.Stop())
    await settle()
    assert station.stops == ["stopper"]
    assert station.commands == []


async def test_garbage_closes_its_own_connection_only(station: Station, tmp_path: Path) -> None:
    good = await Peer.connect(tmp_path / "s.sock")
    await good.read()
    bad = await Peer.connect(tmp_path / "s.sock")
    await bad.read()
    bad.writer.write(b"\x00\x00\x00\x04\xff\xff\xff\xff")
    assert await asyncio.wait_for(bad.reader.read(), 3) is not None
    station.emit(e.LogLine("actor", e.Level.INFO, "still here"))
    batch = await good.read()
    assert isinstance(batch, wire.Batch)
    assert len(station.server.consoles) == 1


async def test_a_lease_ages_until_it_is_renewed(station: Station, tmp_path: Path) -> None:
    assert station.server.lease_age_s() is None
    peer = await Peer.connect(tmp_path / "s.sock")
    await peer.read()
    peer.send(c.TakeControl("c"))
    await asyncio.sleep(0.4)
    age_s = station.server.lease_age_s()
    assert age_s is not None and age_s > 0.25
    peer.send(c.RenewLease())
    await settle()
    renewed_s = station.server.lease_age_s()
    assert renewed_s is not None and renewed_s < 0.2
    peer.writer.close()
    await settle()
    assert station.server.lease_age_s() is None


async def test_who_looks_at_a_camera_is_answered_alone_and_needs_no_controls(
    station: Station, tmp_path: Path
) -> None:
    peers = [await Peer.connect(tmp_path / "s.sock", f"console {i}") for i in range(2)]
    for peer in peers:
        await peer.read()
    peers[0].send(c.Look(7, "front", None, (10, 10), None, None))
    answer = await peers[0].read()
    assert answer == wire.Batch([e.Looked(7, "front", "seen by console 0")])
    station.emit(e.LogLine("actor", e.Level.INFO, "to all"))
    for peer in peers:
        batch = await peer.read()
        assert isinstance(batch, wire.Batch)
        assert [type(event) for event in batch.events] == [e.LogLine]
    assert station.commands == []


async def test_held_keys_count_of_the_console_that_holds_the_controls(
    station: Station, tmp_path: Path
) -> None:
    path = tmp_path / "s.sock"
    one, other = await Peer.connect(path, "one"), await Peer.connect(path, "other")
    keys = {name: await Peer.connect(path, name, wire.Role.DRIVE) for name in ("one", "other")}
    keys["one"].send(drive(1.0))
    await settle()
    assert station.commands == [], "nobody holds the controls"
    one.send(c.TakeControl("one"))
    await settle()
    for name, at_s in (("one", 2.0), ("other", 3.0)):
        keys[name].send(drive(at_s))
    await settle()
    other.send(c.TakeControl("other"))
    await settle()
    for name, at_s in (("one", 4.0), ("other", 5.0)):
        keys[name].send(drive(at_s))
    await settle()
    assert station.commands == [drive(2.0), drive(5.0)]


async def test_held_keys_keep_no_lease_alive(station: Station, tmp_path: Path) -> None:
    console = await Peer.connect(tmp_path / "s.sock", "one")
    console.send(c.TakeControl("one"))
    keys = await Peer.connect(tmp_path / "s.sock", "one", wire.Role.DRIVE)
    for _ in range(6):
        keys.send(drive(1.0))
        await asyncio.sleep(0.05)
    age_s = station.server.lease_age_s()
    assert len(station.commands) == 6 and age_s is not None and age_s > 0.25


async def test_held_keys_have_a_connection_of_their_own(station: Station, tmp_path: Path) -> None:
    console = await Peer.connect(tmp_path / "s.sock", "one")
    console.send(c.TakeControl("one"))
    console.send(drive(1.0))
    await settle()
    assert station.commands == [] and station.server.consoles == []
