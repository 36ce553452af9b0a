"""Videos one after the other in one file, packet by packet: no picture is decoded, none is encoded again."""

import zlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from workers.dataset.durable import open_part, sync, take_names
from workers.dataset.errors import DatasetError
from workers.dataset.pictures import NeverFailing, video_length


class Make(NamedTuple):
    """What two videos must have in common to become one."""

    codec: str
    pixels: str | None
    size: tuple[int, int]
    rate: Fraction | None
    tick: Fraction | None
    parameters: bytes | None
    """Of the codec, such as H.264's parameter sets."""


class _Packet(NamedTuple):
    pts: int
    crc: int


def make_of(path: Path) -> Make:
    """Raises OSError, av.FFmpegError, or LookupError where it has no pictures."""
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise LookupError(f"{path} has no pictures")
        stream = container.streams.video[0]
        context = stream.codec_context
        made = Make(
            context.name,
            context.pix_fmt,
            (context.width, context.height),
            stream.average_rate,
            stream.time_base,
            context.extradata,
        )
    return made


def join_videos(path: Path, files: Sequence[Path], fps: float) -> list[int]:
    """Write `files`, videos of the same make with `fps` frames a second, into the file `path`, to the disk.

    Returns how many frames come before the first of each. Raises OSError, av.FFmpegError, and DatasetError where the
    joined video is not, packet by packet, what they were.
    """
    made = make_of(files[0])
    if made.rate is None or made.tick is None or abs(float(made.rate) - fps) > 1e-3 * fps:
        raise LookupError(f"{files[0]} has {made.rate or 0} frames a second, the dataset {fps:g}")
    step = 1 / (made.rate * made.tick)
    if step.denominator != 1:
        raise LookupError(f"{files[0]} counts time in {made.tick} s, which are no parts of a frame")
    firsts, wanted = _write(path, files, int(step))
    if list(_packets(path)) != wanted or abs(video_length(path)[1] - fps) > 1e-6 * fps:
        raise DatasetError(f"the videos from {files[0]} on could not be joined exactly; nothing was changed")
    return firsts


def _write(path: Path, files: Sequence[Path], step: int) -> tuple[list[int], list[_Packet]]:
    """Where each file begins, in frames, and all packets of the joined one; a frame is `step` ticks long."""
    firsts: list[int] = []
    written: list[_Packet] = []
    with open_part(path) as file:
        safe = NeverFailing(file)
        with av.open(safe, "w", format="mp4") as out, av.open(str(files[0])) as first:
            stream = out.add_stream_from_template(first.streams.video[0], opaque=True)  # without an encoder
            stream.time_base = first.streams.video[0].time_base
            for each in files:
                start = len(written)
                firsts.append(start)
                with av.open(str(each)) as container:
                    for packet in container.demux(container.streams.video[0]):
                        if packet.pts is None or packet.dts is None:
                            continue  # the empty one at the end
                        packet.pts, packet.dts = packet.pts + start * step, packet.dts + start * step
                        written.append(_Packet(packet.pts, zlib.crc32(packet)))
                        packet.stream = stream
                        out.mux(packet)
                times = sorted(packet.pts for packet in written[start:])
                if times != [number * step for number in range(start, len(written))]:
                    raise LookupError(f"{each} does not have a picture in every frame from 0 on")
                safe.check()
        safe.check()
        sync(file)
    take_names([path])
    return firsts, written


def _packets(path: Path) -> Iterator[_Packet]:
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.pts is not None:
                yield _Packet(packet.pts, zlib.crc32(packet))
