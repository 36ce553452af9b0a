"""Records of strangers: whatever comes in, a record or a RecordFormatError comes out, soon and in little memory."""

import io
import struct
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from workers.model.events import DecidedBy
from workers.transport.codec import (
    EPISODE_END_JPEG,
    STEP_JPEG,
    RecordFormatError,
    as_jpeg,
    decode,
    encode,
    largest_payload,
)
from workers.transport.record import DECIDERS, EpisodeEnd, FeatureSpec, Outcome, Record, Step

SPEC = FeatureSpec(state_dim=3, cameras=("front", "side"), height=32, width=48)
GRADIENT = np.broadcast_to(np.linspace(0, 255, 48, dtype=np.uint8)[:, None], SPEC.image_shape)


def make_step() -> Step:
    return Step(
        episode=3, step=7, state=np.arange(3, dtype=np.float32), images=np.ascontiguousarray(GRADIENT),
        action=np.array([0.5, -0.5, 0.25, 2], np.float32), reward=1.0, terminated=True, truncated=False,
    )  # fmt: skip


def make_end() -> EpisodeEnd:
    return EpisodeEnd(
        episode=3, outcome=Outcome.SUCCESS, state=np.ones(3, np.float32), images=make_step().images
    )


RECORDS: list[Record] = [make_step(), make_end(), EpisodeEnd(episode=4, outcome=Outcome.STOPPED)]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_with_jpeg_pictures_is_the_same_but_for_small_losses(record: Record) -> None:
    raw_kind, raw = encode(record, SPEC)
    kind, payload = as_jpeg(raw_kind, raw, SPEC)
    assert (raw_kind, kind) in {(1, STEP_JPEG), (2, EPISODE_END_JPEG)}
    assert as_jpeg(kind, payload, SPEC) == (kind, payload)
    back = decode(kind, payload, SPEC)
    assert type(back) is type(record)
    if record.images is None:
        assert back.images is None and len(payload) == len(raw)
    else:
        assert back.images is not None and back.images.shape == SPEC.image_shape
        assert np.abs(back.images.astype(int) - record.images).mean() < 2
        assert len(payload) < len(raw) / 3
        np.testing.assert_array_equal(back.state, record.state)


@pytest.mark.parametrize("by", DECIDERS)
def test_who_decided_travels_with_the_step_and_leaves_the_rest_alone(by: DecidedBy) -> None:
    step = replace(make_step(), decided_by=by, is_intervention=True)
    for kind, payload in (encode(step, SPEC), as_jpeg(*encode(step, SPEC), SPEC)):
        back = decode(kind, payload, SPEC)
        assert isinstance(back, Step)
        assert (back.decided_by, back.is_intervention, back.terminated) == (by, True, True)
        assert not back.truncated and not back.is_demonstration


def test_noise_is_no_larger_than_the_largest_payload() -> None:
    noise = np.random.default_rng(0).integers(0, 256, SPEC.image_shape, np.uint8)
    step = make_step()
    noisy = Step(**{name: getattr(step, name) for name in Step.__dataclass_fields__} | {"images": noise})
    assert len(as_jpeg(*encode(noisy, SPEC), SPEC)[1]) <= largest_payload(SPEC)


def picture(width: int, height: int, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, "JPEG")
    return file.getvalue()


def with_pictures(*files: bytes) -> bytes:
    _, payload = encode(make_step(), SPEC)
    head = payload[: len(payload) - make_step().images.nbytes]
    return head + b"".join(struct.pack("<I", len(file)) + file for file in files)


@pytest.mark.parametrize(
    "second",
    [picture(49, 32), picture(48, 32, "L"), picture(48, 32)[:-40], b"", b"\x89PNG\r\n\x1a\n" + bytes(99)],
)
def test_pictures_of_another_size_or_form_are_refused(second: bytes) -> None:
    with pytest.raises(RecordFormatError):
        decode(STEP_JPEG, with_pictures(picture(48, 32), second), SPEC)


def test_a_huge_picture_is_refused_by_its_header_before_it_is_decoded() -> None:
    bomb = bytearray(picture(48, 32))
    frame = bomb.index(b"\xff\xc0")
    bomb[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    payload = with_pictures(picture(48, 32), bytes(bomb))
    tracemalloc.start()
    begun = time.perf_counter()
    with pytest.raises(RecordFormatError):
        decode(STEP_JPEG, payload, SPEC)
    assert time.perf_counter() - begun < 0.05
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@settings(max_examples=200, deadline=None)
@given(kind=st.integers(0, 6), payload=st.binary(max_size=400))
def test_random_bytes_give_nothing_but_a_format_error(kind: int, payload: bytes) -> None:
    with pytest.raises(RecordFormatError):
        decode(kind, payload + bytes(23), SPEC)


@settings(max_examples=300, deadline=500)
@given(
    record=st.sampled_from(RECORDS),
    jpeg=st.booleans(),
    cut=st.floats(0.5, 1),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=8),
)
def test_mutated_records_give_a_record_of_the_same_shapes_or_a_format_error(
    record: Record, jpeg: bool, cut: float, flips: list[tuple[float, int]]
) -> None:
    kind, payload = encode(record, SPEC)
    if jpeg:
        kind, payload = as_jpeg(kind, payload, SPEC)
    mutated = bytearray(payload[: int(cut * len(payload))])
    for place, value in flips:
        mutated[int(place * len(mutated))] ^= value
    try:
        back = decode(kind, bytes(mutated), SPEC)
    except RecordFormatError:
        return
    if back.images is not None:
        assert back.images.shape == SPEC.image_shape and back.images.dtype == np.uint8
