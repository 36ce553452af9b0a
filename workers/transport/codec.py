"""Records as bytes: a fixed little-endian head, then the arrays as they lie in memory.

Each kind has a form with JPEG pictures, for thin links; both decode to the same types.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from workers.transport.jpeg import decode_pictures, encode_pictures, largest_pictures
from workers.transport.record import DECIDERS, EpisodeEnd, FeatureSpec, Outcome, Record, Step

STEP, EPISODE_END, STEP_JPEG, EPISODE_END_JPEG = 1, 2, 3, 4
_JPEG = {STEP: STEP_JPEG, EPISODE_END: EPISODE_END_JPEG}
_STEP = struct.Struct("<QIffBQqq")
_END = struct.Struct("<QBB")
_OUTCOMES = tuple(Outcome)
_TERMINATED, _TRUNCATED, _INTERVENTION, _DEMONSTRATION = 1, 2, 4, 8
_DECIDER_SHIFT, _DECIDER = 4, 3
"""Two more bits of a step's flags, its place in DECIDERS; logs of before that have zeros there."""
_DISCARD, _HAS_CLOSING = 1, 2
Parts = tuple[bytes | memoryview, ...]


class RecordFormatError(ValueError):
    """Bytes with a good checksum that are no record of this log: written by another version."""


def encode(record: Record, spec: FeatureSpec) -> tuple[int, bytes]:
    """Kind and payload of a record, raw. Raises ValueError when its shapes are not the spec's."""
    kind, parts = encode_in_parts(record, spec)
    return kind, b"".join(parts)


def encode_in_parts(record: Record, spec: FeatureSpec) -> tuple[int, Parts]:
    """As `encode`, the payload in parts: its pictures, nearly all of it, are not copied."""
    match record:
        case Step():
            return STEP, _encode_step(record, spec)
        case EpisodeEnd():
            return EPISODE_END, _encode_end(record, spec)


def as_jpeg(kind: int, payload: bytes, spec: FeatureSpec) -> tuple[int, bytes]:
    """The same record with JPEG pictures; unchanged when it has them already. Raises RecordFormatError."""
    if kind not in _JPEG:
        return kind, payload
    images = decode(kind, payload, spec).images
    if images is None:
        return _JPEG[kind], payload
    return _JPEG[kind], payload[: len(payload) - images.nbytes] + encode_pictures(images)


def without_pictures(kind: int, payload: bytes, spec: FeatureSpec) -> bytes:
    """The part of a payload that is the same in both forms of its record."""
    if kind in (STEP, STEP_JPEG):
        return payload[: _STEP.size + 4 * (spec.action_dim + spec.state_dim)]
    return payload[: _END.size + 4 * spec.state_dim]


def decode(kind: int, payload: bytes, spec: FeatureSpec) -> Record:
    """The record of a payload; raw arrays are read-only views of it. Raises RecordFormatError."""
    try:
        if kind in (STEP, STEP_JPEG):
            return _decode_step(payload, spec, jpeg=kind == STEP_JPEG)
        if kind in (EPISODE_END, EPISODE_END_JPEG):
            return _decode_end(payload, spec, jpeg=kind == EPISODE_END_JPEG)
    except (struct.error, ValueError, IndexError) as error:
        raise RecordFormatError(
            f"record of type {kind} with {len(payload)} bytes cannot be read: {error}"
        ) from error
    raise RecordFormatError(f"unknown record type {kind}: the log was written by a newer version")


def largest_payload(spec: FeatureSpec) -> int:
    """Most bytes a record of this spec can have, of whatever kind."""
    raw = int(np.prod(spec.image_shape))
    return _STEP.size + 4 * (spec.action_dim + spec.state_dim) + max(raw, largest_pictures(spec.image_shape))


def _encode_step(step: Step, spec: FeatureSpec) -> Parts:
    flags = (
        _TERMINATED * step.terminated
        | _TRUNCATED * step.truncated
        | _INTERVENTION * step.is_intervention
        | _DEMONSTRATION * step.is_demonstration
        | DECIDERS.index(step.decided_by) << _DECIDER_SHIFT
    )
    head = _STEP.pack(
        step.episode, step.step, step.reward, step.discrete_penalty, flags, step.policy_version,
        step.captured_ns, step.executed_ns,
    )  # fmt: skip
    if step.action.shape != (spec.action_dim,):
        raise ValueError(f"action has shape {step.action.shape}, this log takes ({spec.action_dim},)")
    return head, step.action.astype("<f4").tobytes(), *_encode_observation(step.state, step.images, spec)


def _decode_step(payload: bytes, spec: FeatureSpec, jpeg: bool) -> Step:
    episode, step, reward, penalty, flags, version, captured_ns, executed_ns = _STEP.unpack_from(payload)
    action = np.frombuffer(payload, "<f4", spec.action_dim, _STEP.size)
    state, images = _decode_observation(payload, _STEP.size + action.nbytes, spec, jpeg)
    return Step(
        episode=episode,
        step=step,
        state=state,
        images=images,
        action=action,
        reward=reward,
        terminated=bool(flags & _TERMINATED),
        truncated=bool(flags & _TRUNCATED),
        is_intervention=bool(flags & _INTERVENTION),
        is_demonstration=bool(flags & _DEMONSTRATION),
        discrete_penalty=penalty,
        policy_version=version,
        captured_ns=captured_ns,
        executed_ns=executed_ns,
        decided_by=DECIDERS[flags >> _DECIDER_SHIFT & _DECIDER],
    )


def _encode_end(end: EpisodeEnd, spec: FeatureSpec) -> Parts:
    closing = end.state is not None and end.images is not None
    flags = _DISCARD * end.discard | _HAS_CLOSING * closing
    head = _END.pack(end.episode, _OUTCOMES.index(end.outcome), flags)
    if end.state is None or end.images is None:
        return (head,)
    return head, *_encode_observation(end.state, end.images, spec)


def _decode_end(payload: bytes, spec: FeatureSpec, jpeg: bool) -> EpisodeEnd:
    episode, outcome, flags = _END.unpack_from(payload)
    closing = bool(flags & _HAS_CLOSING)
    if not closing and len(payload) > _END.size:
        raise ValueError("it has an observation and says it has none")
    state, images = _decode_observation(payload, _END.size, spec, jpeg) if closing else (None, None)
    return EpisodeEnd(
        episode=episode,
        outcome=_OUTCOMES[outcome],
        state=state,
        images=images,
        discard=bool(flags & _DISCARD),
    )


def _encode_observation(
    state: NDArray[np.float32], images: NDArray[np.uint8], spec: FeatureSpec
) -> tuple[bytes, memoryview]:
    if state.shape != (spec.state_dim,) or images.shape != spec.image_shape or images.dtype != np.uint8:
        raise ValueError(
            f"observation has state {state.shape} and images {images.shape} {images.dtype};"
            f" this log takes ({spec.state_dim},) and {spec.image_shape} uint8"
        )
    return state.astype("<f4").tobytes(), np.ascontiguousarray(images).data


def _decode_observation(
    payload: bytes, offset: int, spec: FeatureSpec, jpeg: bool
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    state = np.frombuffer(payload, "<f4", spec.state_dim, offset)
    offset += state.nbytes
    if jpeg:
        return state, decode_pictures(memoryview(payload)[offset:], spec.image_shape)
    return state, np.frombuffer(payload, np.uint8, offset=offset).reshape(spec.image_shape)
