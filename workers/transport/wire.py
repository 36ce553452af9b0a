"""What both ends of the link agree on beyond the proto: figures, settings that must match, records as messages."""

from itertools import count, islice
from pathlib import PurePath
from typing import Final

import msgspec

from workers.config import PolicyConfig
from workers.transport.codec import RecordFormatError, largest_payload
from workers.transport.log_format import LogError, PackedRecord, split_packed
from workers.transport.pb import learner_pb2 as pb
from workers.transport.record import FeatureSpec

PROTOCOL_MAJOR: Final = 1
LEASE_S: Final = 5.0
"""A session silent for longer may be replaced by another robot PC's."""
HEARTBEAT_S: Final = 1.0
SILENCE_S: Final = 6.0
"""The learner says something every second; after this long without a word the link is given up."""
BATCH_BYTES: Final = 2 * 2**20
"""Of payloads in one message."""
WINDOW_RECORDS: Final = 64
CHUNK_BYTES: Final = 128 * 2**10
POLICY_BYTES: Final = 512 * 2**20

_NETWORK_KEYS = (
    "vision_encoder_name",
    "freeze_vision_encoder",
    "image_encoder_hidden_dim",
    "input_downsample",
    "camera_fusion",
    "image_embedding_pooling_dim",
    "latent_dim",
    "state_encoder_hidden_dim",
    "actor_network_kwargs",
    "discrete_critic_network_kwargs",
)
_KWARGS_KEYS = ("std_min", "std_max")  # the others only shape the first weights, which the learner draws

Settings = dict[str, object]


class Malformed(Exception):
    """The other side sent what this protocol does not allow."""


def network_settings(policy: PolicyConfig) -> Settings:
    """The settings that shape the policy's networks, by their names in the configuration, as JSON values."""
    table = msgspec.json.decode(msgspec.json.encode(policy))  # as it arrives: lists, no tuples
    settings = {f"policy.{key}": table[key] for key in _NETWORK_KEYS}
    name = table["vision_encoder_name"]
    if name.endswith(".safetensors"):  # its folder is a matter of the machine
        settings["policy.vision_encoder_name"] = PurePath(name).name
    return settings | {f"policy.policy_kwargs.{key}": table["policy_kwargs"][key] for key in _KWARGS_KEYS}


def setting_differences(here: Settings, there: Settings) -> list[str]:
    """One readable line per setting in which the two differ."""
    names = sorted(here.keys() | there.keys())
    pairs = ((name, here.get(name), there.get(name)) for name in names)
    return [f"{name}: {mine!r} here, {theirs!r} there" for name, mine, theirs in pairs if mine != theirs]


def to_message(records: list[PackedRecord]) -> pb.Records:
    """A run of records, dense in seq and not empty. Raises LogError when the link cannot carry one so large."""
    if len(records[0].payload) > BATCH_BYTES:
        raise LogError(
            f"A record of {len(records[0].payload):,} bytes is more than the link carries ({BATCH_BYTES:,}). Set"
            ' policy.actor_learner_config.image_format = "jpeg", or a smaller'
            " env.processor.image_preprocessing.resize_size."
        )
    return pb.Records(packed=b"".join(record.packed() for record in records))


def from_message(packed: bytes, spec: FeatureSpec) -> list[PackedRecord]:
    """The records of a message, each decoded once, so that none reaches the log that the learner could not read.

    Raises Malformed.
    """
    try:
        records = list(islice(split_packed(packed), WINDOW_RECORDS + 1))
    except ValueError as error:
        raise Malformed(str(error)) from error
    size = sum(len(record.payload) for record in records)
    if not 0 < len(records) <= WINDOW_RECORDS or size > BATCH_BYTES:
        raise Malformed(f"a message brings {len(records)} records of {size} bytes, or more")
    for record, seq in zip(records, count(records[0].seq), strict=False):
        _check(record, seq, spec)
    return records


def _check(record: PackedRecord, seq: int, spec: FeatureSpec) -> None:
    if record.seq != seq:
        raise Malformed(f"record {record.seq} stands where {seq} belongs")
    largest = largest_payload(spec)
    if len(record.payload) > largest:
        raise Malformed(f"record {seq} has {len(record.payload)} bytes, {largest} are the most it can have")
    try:
        record.unpacked(spec)
    except RecordFormatError as error:
        raise Malformed(f"record {seq}: {error}") from error
