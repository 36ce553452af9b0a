"""What both ends of the link agree on beyond the proto: figures, settings that must match, records as messages."""

import zlib
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

import msgspec

from workers.config import PolicyConfig
from workers.transport.codec import RecordFormatError, largest_payload
from workers.transport.log_format import PackedRecord
from workers.transport.pb import learner_pb2 as pb
from workers.transport.record import FeatureSpec

PROTOCOL_MAJOR: Final = 1
PROTOCOL_MINOR: Final = 0
LEASE_S: Final = 5.0
"""A session silent for longer may be replaced by another robot PC's."""
HEARTBEAT_S: Final = 1.0
SILENCE_S: Final = 6.0
"""The learner says something every second; after this long without a word the link is given up."""
BATCH_BYTES: Final = 2 * 2**20
WINDOW_RECORDS: Final = 64
CHUNK_BYTES: Final = 128 * 2**10
POLICY_BYTES: Final = 512 * 2**20
TEXT_BYTES: Final = 4096

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


def printable(text: str) -> str:
    """`text` of another machine, safe and short enough for a terminal."""
    return "".join(char if char.isprintable() else " " for char in text[:TEXT_BYTES])


def to_message(records: list[PackedRecord]) -> pb.Records:
    """A run of records, dense in seq and not empty."""
    return pb.Records(
        first_seq=records[0].seq,
        records=(
            pb.Record(kind=record.kind, session=record.session, payload=record.payload, crc32=record.crc32)
            for record in records
        ),
    )


def from_message(message: pb.Records, spec: FeatureSpec) -> list[PackedRecord]:
    """The records of a message, each decoded once, so that none reaches the log that the learner could not read.

    Raises Malformed.
    """
    records = list(_records(message, spec))
    size = sum(len(record.payload) for record in records)
    if not records or len(records) > WINDOW_RECORDS or (size > BATCH_BYTES and len(records) > 1):
        raise Malformed(f"a message brings {len(records)} records of {size} bytes")
    return records


def _records(message: pb.Records, spec: FeatureSpec) -> Iterator[PackedRecord]:
    largest = largest_payload(spec)
    for number, record in enumerate(message.records):
        seq = message.first_seq + number
        if len(record.payload) > largest:
            raise Malformed(
                f"record {seq} has {len(record.payload)} bytes, {largest} are the most it can have"
            )
        if zlib.crc32(record.payload) != record.crc32:
            raise Malformed(f"record {seq} fails its checksum")
        packed = PackedRecord(record.kind, record.session, seq, record.payload, record.crc32)
        try:
            packed.unpacked(spec)
        except RecordFormatError as error:
            raise Malformed(f"record {seq}: {error}") from error
        yield packed
