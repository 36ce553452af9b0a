"""What a hostile robot PC may send once it has a token: noise, cut and bent messages, well-formed nonsense."""

import random
from typing import Any

import msgspec

from tests.emulators.echo_services import Method
from tests.transport.linked import FEATURES
from workers.config import Config
from workers.transport.limits import MESSAGE_BYTES
from workers.transport.pb import learner_pb2 as pb
from workers.transport.wire import PROTOCOL_MAJOR, network_settings

OVERSIZED_EVERY = 100
_WHOLE = {"int32": 31, "int64": 63, "uint32": 32, "uint64": 64, "fixed32": 32, "fixed64": 64}
_DEEP = b"\x0b" * 20_000  # groups within groups


def _fields(tags: bytes, within: int | None = None) -> bytes:
    """As many empty fields as a message holds, of these tags in turn, in a field of their own with this tag."""
    whole = b"".join(bytes((tag, 0)) for tag in tags) * ((MESSAGE_BYTES - 8) // (2 * len(tags)))
    return whole if within is None else bytes((within,)) + pb.Blob(sha256=whole).SerializeToString()[1:]


# Two bytes each on the wire, a message each when parsed: of a repeated field, or of a oneof that changes its mind.
_AMPLIFYING = (
    _fields(b"\x12", within=0x12), _fields(b"\x0a", within=0x12), _fields(b"\x0a\x12"), _fields(b"\x1a\x22"),
)  # fmt: skip


def hello(config: Config) -> bytes:
    """A hello the learner of `config` welcomes."""
    return pb.FromActor(
        hello=pb.Hello(
            protocol_major=PROTOCOL_MAJOR, run=config.run.name, actor_id="hostile", epoch=7, host="elsewhere",
            features=msgspec.json.encode(FEATURES), networks=msgspec.json.encode(network_settings(config.policy)),
        )
    ).SerializeToString()  # fmt: skip


def requests(rng: random.Random, method: Method, config: Config) -> list[bytes]:
    """What to send in one call: to a stream sometimes behind a hello that is welcome."""
    first = [hello(config)] if method.path.endswith("/Link") and rng.random() < 0.7 else []
    count = rng.randint(1, 3) if method.client_streams else 1
    return first + [message(rng, method.request) for _ in range(count)]


def message(rng: random.Random, kind: Any) -> bytes:
    if rng.randrange(OVERSIZED_EVERY) == 0:
        return rng.choice(
            (
                bytes(MESSAGE_BYTES + 1),
                bytes(2 * MESSAGE_BYTES),
                bytes(MESSAGE_BYTES - 8),
                _DEEP,
                *_AMPLIFYING,
            )
        )
    if rng.random() < 0.25:
        return rng.randbytes(rng.choice((0, 1, 2, 7, 100, 5000)))
    whole = bytearray(filled(rng, kind()).SerializeToString())
    match rng.randrange(3):
        case 0 if whole:
            del whole[rng.randrange(len(whole)) :]
        case 1:
            for _ in range(min(len(whole), rng.randint(1, 4))):
                whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    return bytes(whole)


def filled(rng: random.Random, made: Any) -> Any:
    """`made` with random values in a random choice of its fields."""
    for field in made.DESCRIPTOR.fields:
        if rng.random() < 0.3:
            continue
        if field.is_repeated:
            for _ in range(rng.choice((0, 1, 3, 70))):
                _add(rng, getattr(made, field.name), field)
        elif field.message_type is not None:
            filled(rng, getattr(made, field.name))
            getattr(made, field.name).SetInParent()
        else:
            setattr(made, field.name, _value(rng, field))
    return made


def _add(rng: random.Random, into: Any, field: Any) -> None:
    if field.message_type is not None:
        filled(rng, into.add())
    else:
        into.append(_value(rng, field))


def _value(rng: random.Random, field: Any) -> Any:
    kinds = {
        number: name.removeprefix("TYPE_").lower()
        for name, number in vars(type(field)).items()
        if name.startswith("TYPE_")
    }
    match kinds[field.type]:
        case "string":
            return rng.choice(("", "run", "../../etc", "\x1b[2J", "x" * 5000, "\0", "arm"))
        case "bytes":
            return rng.choice((b"", b"{}", b"[" * 3000, rng.randbytes(rng.choice((1, 32, 4000)))))
        case "bool":
            return rng.random() < 0.5
        case "double" | "float":
            return rng.choice((0.0, -1.0, 1e308, float("nan"), float("inf")))
        case "enum":
            return rng.choice((0, 1, 2, 9, 10**6))
        case name:
            return rng.choice((0, 1, 7, 2 ** _WHOLE[name] - 1, rng.getrandbits(_WHOLE[name])))
