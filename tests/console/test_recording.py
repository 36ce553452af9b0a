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


def test_lines_that_cannot_be_read_are_left_out_with_a_note(tmp_path):
    path = written(tmp_path / "events.jsonl", demo.opening())
    whole = read_events(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines.insert(1, b'{"t": 1, "event": {"type": "Nonsense"}}\n')
    path.write_bytes(b"".join(lines)[:-20])
    note, *kept = read_events(path)
    assert kept == whole[:-1]
    assert note.event.worker == "replay"
    assert "2 lines" in note.event.text
    assert "line 2" in note.event.text


def test_a_file_without_any_event_is_refused(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"not a recording\n")
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
