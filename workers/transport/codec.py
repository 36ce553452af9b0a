"""Records as bytes: a fixed little-endian head, then the arrays as they lie in memory."""

import struct

import numpy as np
from numpy.typing import NDArray

from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Record, Step

STEP, EPISODE_END = 1, 2
_STEP = struct.Struct("<QIffBQqq")
_END = struct.Struct("<QBB")
_OUTCOMES = tuple(Outcome)
_TERMINATED, _TRUNCATED, _INTERVENTION, _DEMONSTRATION = 1, 2, 4, 8
_DISCARD, _HAS_CLOSING = 1, 2


class RecordFormatError(ValueError):
    """Bytes with a good checksum that are no record of this log: written by another version."""


def encode(record: Record, spec: FeatureSpec) -> tuple[int, bytes]:
    """Type and payload of a record. Raises ValueError when its shapes are not the spec's."""
    match record:
        case Step():
            return STEP, _encode_step(record, spec)
        case EpisodeEnd():
            return EPISODE_END, _encode_end(record, spec)


def decode(kind: int, payload: bytes, spec: FeatureSpec) -> Record:
    """The record of a payload; its arrays are read-only views of it. Raises RecordFormatError."""
    try:
        if kind == STEP:
            return _decode_step(payload, spec)
        if kind == EPISODE_END:
            return _decode_end(payload, spec)
    except (struct.error, ValueError, IndexError) as error:
        raise RecordFormatError(
            f"record of type {kind} with {len(payload)} bytes cannot be read: {error}"
        ) from error
    raise RecordFormatError(f"unknown record type {kind}: the log was written by a newer version")


def _encode_step(step: Step, spec: FeatureSpec) -> bytes:
    flags = (
        _TERMINATED * step.terminated
        | _TRUNCATED * step.truncated
        | _INTERVENTION * step.is_intervention
        | _DEMONSTRATION * step.is_demonstration
    )
    head = _STEP.pack(
        step.episode, step.step, step.reward, step.discrete_penalty, flags, step.policy_version,
        step.captured_ns, step.executed_ns,
    )  # fmt: skip
    if step.action.shape != (spec.action_dim,):
        raise ValueError(f"action has shape {step.action.shape}, this log takes ({spec.action_dim},)")
    return b"".join(
        (head, step.action.astype("<f4").tobytes(), *_encode_observation(step.state, step.images, spec))
    )


def _decode_step(payload: bytes, spec: FeatureSpec) -> Step:
    episode, step, reward, penalty, flags, version, captured_ns, executed_ns = _STEP.unpack_from(payload)
    action = np.frombuffer(payload, "<f4", spec.action_dim, _STEP.size)
    state, images = _decode_observation(payload, _STEP.size + action.nbytes, spec)
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
    )


def _encode_end(end: EpisodeEnd, spec: FeatureSpec) -> bytes:
    closing = end.state is not None and end.images is not None
    flags = _DISCARD * end.discard | _HAS_CLOSING * closing
    head = _END.pack(end.episode, _OUTCOMES.index(end.outcome), flags)
    if end.state is None or end.images is None:
        return head
    return b"".join((head, *_encode_observation(end.state, end.images, spec)))


def _decode_end(payload: bytes, spec: FeatureSpec) -> EpisodeEnd:
    episode, outcome, flags = _END.unpack_from(payload)
    state, images = _decode_observation(payload, _END.size, spec) if flags & _HAS_CLOSING else (None, None)
    return EpisodeEnd(
        episode=episode,
        outcome=_OUTCOMES[outcome],
        state=state,
        images=images,
        discard=bool(flags & _DISCARD),
    )


def _encode_observation(
    state: NDArray[np.float32], images: NDArray[np.uint8], spec: FeatureSpec
) -> tuple[bytes, bytes]:
    if state.shape != (spec.state_dim,) or images.shape != spec.image_shape or images.dtype != np.uint8:
        raise ValueError(
            f"observation has state {state.shape} and images {images.shape} {images.dtype};"
            f" this log takes ({spec.state_dim},) and {spec.image_shape} uint8"
        )
    return state.astype("<f4").tobytes(), images.tobytes()


def _decode_observation(
    payload: bytes, offset: int, spec: FeatureSpec
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    state = np.frombuffer(payload, "<f4", spec.state_dim, offset)
    images = np.frombuffer(payload, np.uint8, offset=offset + state.nbytes).reshape(spec.image_shape)
    return state, images
