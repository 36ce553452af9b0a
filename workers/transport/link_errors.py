"""Why a link is not up, in words for whoever sits at the console."""

import ssl

import grpc

from workers.transport import channel_address
from workers.transport.certificate import pin_of
from workers.transport.channel import credential_for
from workers.transport.pb import learner_pb2 as pb
from workers.transport.text import printable

LEAF_S = 4.0
_FIREWALL = (
    "look at learner_host and learner_port, and whether a firewall on the way lets the port through; the ssh line"
    " that the learner prints works without"
)
_SILENT = f"is that machine up? Otherwise {_FIREWALL}"
_CAUSES = (  # in what gRPC says of a connection that cannot be made, in small letters
    (("no route", "unreachable"), "no route", "look at the network of this machine, and at learner_host"),
    (("timed out", "timeout", "deadline", "handshaker shutdown"), "timed out", _SILENT),
    (
        ("reset", "closed", "handshake"),
        "it hangs up",
        "at the end of an ssh tunnel no learner may be running, or what listens there is something else",
    ),
)


class LinkLost(Exception):
    """The network or the learner went away: tried again by itself."""


class LinkRefused(Exception):
    """Somebody has to do something; tried again now and then. `at_once` where a new link is all it takes."""

    def __init__(self, text: str, at_once: bool = False) -> None:
        super().__init__(text)
        self.at_once = at_once


def refused(message: pb.Refused) -> LinkRefused:
    """As the learner put it."""
    words = printable(f"{message.what} {message.fix}").strip()
    return LinkRefused(words, at_once=message.code == pb.REFUSED_CODE_GAP)


def nobody_listens(address: str) -> LinkLost:
    return LinkLost(f"nobody listens at {address}: is `hilserl-worker learner` running there?")


def no_answer(address: str, connected: bool, within_s: float) -> LinkLost:
    """To the first words of a link."""
    if connected:
        return LinkLost(
            f"the learner at {address} says nothing for {within_s:.0f} s: is it stopped, or very busy?"
        )
    return LinkLost(f"nobody answers at {address} (timed out): {_SILENT}")


def shows_another_certificate(error: grpc.aio.AioRpcError) -> bool:
    details = (error.details() or "").lower()
    words = ("ssl", "certificate", "verification")
    return error.code() is grpc.StatusCode.UNAVAILABLE and any(word in details for word in words)


def certificates_differ(address: str) -> LinkRefused:
    """Both pins, where what answers shows its certificate again; blocks for at most four seconds."""
    try:
        shown = _pin(ssl.get_server_certificate(channel_address.split(address), timeout=LEAF_S))
        pins = f" (pin {shown}, not {_pin(credential_for(address).certificate)})"
    except OSError:
        pins = ""
    return LinkRefused(
        f"What answers at {address} is not the learner this machine joined: its certificate is another{pins}."
        " If the learner was set up anew, join it again; otherwise look at host and port."
    )


def _pin(certificate: str) -> str:
    return pin_of(ssl.PEM_cert_to_DER_cert(certificate))


def explained(address: str, error: grpc.aio.AioRpcError) -> LinkLost | LinkRefused:
    """What a failed call means."""
    details = error.details() or ""
    match error.code():
        case grpc.StatusCode.UNAUTHENTICATED:
            return LinkRefused(
                f"The learner at {address} does not admit this machine. Join it again: the learner prints the line."
            )
        case grpc.StatusCode.UNAVAILABLE:
            return _unavailable(address, details)
        case grpc.StatusCode.UNIMPLEMENTED:
            return LinkRefused(
                f"What answers at {address} knows no link: install the same version of hilserl-tui on both machines."
            )
        case code:
            return LinkLost(f"the link to {address} broke: {code.name.lower()} ({_short(details)})")


def _unavailable(address: str, details: str) -> LinkLost:
    low = details.lower()
    if "refused" in low:
        return nobody_listens(address)
    if "resolv" in low or "lookup" in low:
        host = channel_address.split(address)[0]
        return LinkLost(
            f"no host is called {host}: look at learner_host, or give its address ({_short(details)})"
        )
    if "connect to all" not in low:
        return LinkLost(f"the connection to {address} broke ({_short(details)})")
    for signs, cause, advice in _CAUSES:
        if any(sign in low for sign in signs):
            return LinkLost(f"nobody answers at {address} ({cause}): {advice} ({_short(details)})")
    return LinkLost(f"nobody answers at {address}: {_FIREWALL} ({_short(details)})")


def _short(details: str) -> str:
    """What gRPC says last is what the system said."""
    return printable(details.split("\n")[0].rsplit(": ", 1)[-1]).rstrip("]")[:100]
