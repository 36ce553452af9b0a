"""Joining: a line a person carries from the learner's screen to the robot PC earns that PC its session token."""

import re
import shlex
import socket
import ssl
from dataclasses import dataclass, field
from typing import Final

import grpc

from workers.transport import channel_address
from workers.transport.certificate import NAME, is_pin, pin_of
from workers.transport.channel import Credential, keep
from workers.transport.limits import channel_options
from workers.transport.pb import learner_pb2, learner_pb2_grpc
from workers.transport.text import printable
from workers.transport.tokens import Verdict, canonical

LEAF_S: Final = 4.0
ENROL_S: Final = 5.0
NEW_LINE: Final = "Ask the learner for a new line: it prints one at every start."
LOCKED: Final = "locked"  # details of a refusal: this address failed too often
OFTEN: Final = "often"  # this address tried too often


class JoinRefused(Exception):
    """The join did not happen; the message says what, why and what to do."""


@dataclass(frozen=True)
class JoinInvitation:
    """What a person carries from the learner to a robot PC."""

    address: str  # host:port
    pin: str  # 32 hexadecimal digits
    token: str = field(repr=False)

    def line(self) -> str:
        return f"hilserl-tui join {self.address} --pin {self.pin} --token {self.token}"

    @classmethod
    def of(cls, address: str, pin: str, token: str) -> "JoinInvitation":
        """As typed by a person. Raises JoinRefused when a part cannot be what it should be."""
        try:
            host, port = channel_address.split(address)
            canonical(token)
        except ValueError as error:
            raise JoinRefused(f"{error}. Copy the whole line from the learner's screen.") from error
        bare = re.sub(r"[\s:]", "", pin).lower()
        if not is_pin(bare):
            raise JoinRefused(
                f"{pin!r} is not a pin: 32 digits 0-9 and a-f. Copy the whole line from the learner's screen."
            )
        return cls(channel_address.joined(host, port), bare, token.strip())

    @classmethod
    def from_line(cls, line: str) -> "JoinInvitation":
        """The whole line, as pasted. Raises JoinRefused when it is not one."""
        try:
            words = shlex.split(line)
            start = words.index("join")
            address, *rest = words[start + 1 :]
            found = dict(zip(rest[::2], rest[1::2], strict=True))
            return cls.of(address, found["--pin"], found["--token"])
        except (ValueError, KeyError) as error:
            raise JoinRefused(
                "This is not a join line. One reads `hilserl-tui join HOST:PORT --pin PIN --token TOKEN`;"
                " copy all of it from the learner's screen."
            ) from error


def tunnel_line(port: int, host: str, user: str) -> str:
    """The ssh command that brings a learner that listens on loopback only to this machine."""
    return f"ssh -N -L {port}:127.0.0.1:{port} {user}@{host}"


def join(invitation: JoinInvitation, label: str) -> str:
    """Enrol with the learner and keep what opens channels to it; blocks for at most ten seconds.

    Returns the name of the run the learner is on. Raises JoinRefused, CredentialError.
    """
    certificate = _leaf(invitation)
    shown = pin_of(ssl.PEM_cert_to_DER_cert(certificate))
    if shown != invitation.pin:
        raise JoinRefused(
            f"STOP: {invitation.address} is not the learner that printed this line.\n"
            f"  expected {invitation.pin}\n  found    {shown}\n"
            "Somebody may be intercepting the connection, or another learner answers at this address."
            " Compare with the pin on the learner's screen; nothing was sent."
        )
    tls = grpc.ssl_channel_credentials(certificate.encode())
    with grpc.secure_channel(invitation.address, tls, options=channel_options(NAME)) as channel:
        request = learner_pb2.EnrolRequest(token=canonical(invitation.token), label=label)
        try:
            reply = learner_pb2_grpc.EnrolmentStub(channel).Enrol(request, timeout=ENROL_S)
        except grpc.RpcError as error:
            raise JoinRefused(_explain(invitation.address, error)) from error
    run = printable(reply.run)
    keep(Credential(invitation.address, certificate, reply.session_token, run))
    return run


def _leaf(invitation: JoinInvitation) -> str:
    """The certificate shown at the address, PEM, unverified. Raises JoinRefused."""
    address = invitation.address
    try:
        return ssl.get_server_certificate(channel_address.split(address), timeout=LEAF_S)
    except ConnectionRefusedError as error:
        raise JoinRefused(
            f"Nobody listens at {address}. Start the learner there: `hilserl-worker learner --listen {address} ...`,"
            " and look at host and port."
        ) from error
    except socket.gaierror as error:
        raise JoinRefused(f"{address}: no such host. Look at its name, or use its address.") from error
    except TimeoutError as error:
        raise JoinRefused(
            f"{address} does not answer. Is it the right address? A firewall on the way must let this port through;"
            " the ssh line the learner prints works without."
        ) from error
    except ConnectionError as error:
        raise JoinRefused(
            f"{address} hung up at once. A learner does so for some seconds when too many connections came from this"
            " address: wait a little and try again. If it stays so, look at host and port."
        ) from error
    except ssl.SSLError as error:
        raise JoinRefused(
            f"What listens at {address} does not speak TLS, so it is not a hilserl learner. Look at host and port."
        ) from error
    except OSError as error:
        raise JoinRefused(
            f"{address} cannot be reached: {error.strerror or error}. Look at the network."
        ) from error


def _explain(address: str, error: grpc.RpcError) -> str:
    match error.code(), error.details():
        case _, Verdict.WRONG:
            return f"The learner does not know this token. Copy the line again. {NEW_LINE}"
        case _, Verdict.USED:
            return f"This token was used before; each is good for one robot. {NEW_LINE}"
        case _, Verdict.EXPIRED:
            return f"This token is older than ten minutes. {NEW_LINE}"
        case _, (str(word)) if word in (LOCKED, OFTEN):
            return (
                "The learner takes no more attempts from this address for a minute, after too many of them."
                " Wait a minute and try again."
            )
        case grpc.StatusCode.UNIMPLEMENTED, _:
            return f"The learner at {address} is of another version. Install the same version on both sides."
        case code, _:
            return f"The learner at {address} stopped answering ({code.name.lower()}). Is it still running? Try again."
