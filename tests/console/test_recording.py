import msgspec
import pytest

from hilserl_tui.recording import RecordedClient, RecordingError, events_file, read_events
from hilserl_tui.view import Link
from tests.console import demo
from workers.model.commands import StartRun
from workers.model.events import Driver


def written(path, *streams):
    lines = [msgspec.json.encode({"t": t, "event": event}) for stream in streams for t, event in stream]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_a_recording_comes_back_as_the_state_it_recorded(tmp_path):
    path = written(
        tmp_path / "events.jsonl", demo.opening(), demo.history(), demo.running(Driver.POLICY, seconds=1)
    )
    events = read_events(events_file(tmp_path))
    expected = demo.fold(demo.opening(), demo.history(), demo.running(Driver.POLICY, seconds=1))
    assert demo.fold(iter([(r.t, r.event) for r in events])) == expected
    assert events_file(path) == path


def test_a_torn_last_line_is_dropped_and_the_rest_is_kept(tmp_path):
    path = written(tmp_path / "events.jsonl", demo.opening())
    whole = len(read_events(path))
    path.write_bytes(path.read_bytes()[:-20])
    assert len(read_events(path)) == whole - 1


def test_a_damaged_line_is_named(tmp_path):
    path = written(tmp_path / "events.jsonl", demo.opening())
    path.write_bytes(b'{"t": 1, "event": {"type": "Nonsense"}}\n' + path.read_bytes())
    with pytest.raises(RecordingError, match="line 1"):
        read_events(path)


def test_a_missing_recording_says_what_to_do(tmp_path):
    with pytest.raises(RecordingError, match="what to do"):
        events_file(tmp_path)


async def test_a_recording_plays_to_its_end_and_takes_no_command(tmp_path):
    import asyncio

    client = RecordedClient(
        read_events(written(tmp_path / "e.jsonl", demo.opening(), demo.history())), speed=1000
    )
    ended = asyncio.Event()
    client.start(lambda: ended.set() if client.link is Link.ENDED else None)
    assert client.send(StartRun()) is False
    assert client.stop() is False
    await asyncio.wait_for(ended.wait(), 5)
    assert len(client.state.episodes) == 84
    await client.close()


async def test_a_pause_of_hours_between_two_sessions_is_cut_short(tmp_path):
    import asyncio

    opening = list(demo.opening())
    later = [(t + 50_000.0, event) for t, event in opening]
    client = RecordedClient(read_events(written(tmp_path / "e.jsonl", opening, later)), speed=20)
    ended = asyncio.Event()
    client.start(lambda: ended.set() if client.link is Link.ENDED else None)
    await asyncio.wait_for(ended.wait(), 2)
    await client.close()
