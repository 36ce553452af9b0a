"""The first words of a robot PC: does it belong to this run, and do both sides mean the same by a record?"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from workers.transport.pb import learner_pb2 as pb
from workers.transport.record import FeatureSpec
from workers.transport.text import TEXT_BYTES, printable
from workers.transport.wire import (
    PROTOCOL_MAJOR,
    Malformed,
    Settings,
    setting_differences,
)

_ACTOR_ID = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"
)  # becomes a directory's name, so nothing else will do
_SIDES = "(here: the robot PC, there: the learner)"


class Refusal(Exception):
    """The stream ends; code, one sentence on what is wrong, one on what to do."""

    def __init__(self, code: pb.RefusedCode, what: str, fix: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.fix = fix

    def message(self) -> pb.FromLearner:
        return pb.FromLearner(refused=pb.Refused(code=self.code, what=self.what, fix=self.fix))


def malformed(error: object) -> Refusal:
    """For anything a link of this project does not send."""
    return Refusal(
        pb.REFUSED_CODE_MALFORMED,
        f"The learner cannot read what this robot PC sends: {printable(str(error))}.",
        "Install the same version of hilserl-tui on both machines.",
    )


@dataclass(frozen=True)
class Actor:
    """Who is on the other end of a stream."""

    actor_id: str
    epoch: int
    host: str

    def same_log(self, other: "Actor") -> bool:
        """Whether `other` is this very actor come again, rather than one more with the same name."""
        return (self.actor_id, self.epoch, self.host) == (other.actor_id, other.epoch, other.host)


@dataclass(frozen=True)
class Expected:
    """What a robot PC must agree with."""

    run: str
    app_version: str
    features: FeatureSpec
    networks: Settings

    def admit(self, hello: pb.Hello) -> Actor:
        """Who says hello. Raises Refusal, or Malformed."""
        if hello.protocol_major != PROTOCOL_MAJOR:
            raise Refusal(
                pb.REFUSED_CODE_PROTOCOL,
                f"The robot PC speaks protocol {hello.protocol_major} (hilserl-tui {printable(hello.app_version)}),"
                f" the learner protocol {PROTOCOL_MAJOR} (hilserl-tui {self.app_version}).",
                "Install the same version of hilserl-tui on both machines.",
            )
        _check_sizes(hello)
        if hello.run != self.run:
            raise Refusal(
                pb.REFUSED_CODE_RUN,
                f"This robot PC is on the run {printable(hello.run)!r}, the learner on {self.run!r}.",
                "Give both the same run.name, or look at policy.actor_learner_config.learner_port.",
            )
        features = _decoded(hello.features, FeatureSpec)
        different = features.differences(self.features)
        if different:
            raise Refusal(
                pb.REFUSED_CODE_FEATURES,
                f"Observations or actions differ: {_listed(different)} {_SIDES}.",
                "Use the same [env] section on both machines.",
            )
        different = setting_differences(_decoded(hello.networks, dict[str, Any]), self.networks)
        if different:
            raise Refusal(
                pb.REFUSED_CODE_NETWORKS,
                f"The policy's networks differ: {_listed(different)} {_SIDES}.",
                "Use the same [policy] section on both machines.",
            )
        return Actor(hello.actor_id, hello.epoch, printable(hello.host))


def _check_sizes(hello: pb.Hello) -> None:
    texts = (hello.app_version, hello.run, hello.host, hello.features, hello.networks)
    if any(len(text) > TEXT_BYTES for text in texts):
        raise Malformed(f"a field of its hello is longer than {TEXT_BYTES} bytes")
    if _ACTOR_ID.fullmatch(hello.actor_id) is None:
        raise Malformed("its actor_id is not a name")


def _decoded(data: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed(f"its hello cannot be read: {error}") from error


def _listed(differences: list[str]) -> str:
    return printable("; ".join(differences))[:1500]
