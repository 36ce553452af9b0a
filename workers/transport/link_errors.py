"""Why a link is not up, in words for whoever sits at the console."""

import grpc

from workers.transport.pb import learner_pb2 as pb


class LinkLost(Exception):
    """The network or the learner went away: tried again by itself."""


class LinkRefused(Exception):
    """Somebody has to do something; tried again now and then. `at_once` where a new link is all it takes."""

    def __init__(self, text: str, at_once: bool = False) -> None:
        super().__init__(text)
        self.at_once = at_once


def refused(message: pb.Refused) -> LinkRefused:
    """As the learner put it."""
    return LinkRefused(f"{message.what} {message.fix}".strip(), at_once=message.code == pb.REFUSED_CODE_GAP)


def explained(address: str, error: grpc.aio.AioRpcError) -> LinkLost | LinkRefused:
    """What a failed call means."""
    details = error.details() or ""
    match error.code():
        case grpc.StatusCode.UNAUTHENTICATED:
            return LinkRefused(
                f"The learner at {address} does not admit this machine. Join it again: the learner prints the line."
            )
        case grpc.StatusCode.UNAVAILABLE if "refused" in details.lower():
            return LinkLost(f"nobody listens at {address}: is `hilserl-worker learner` running there?")
        case grpc.StatusCode.UNAVAILABLE if "ssl" in details.lower() or "certificate" in details.lower():
            return LinkRefused(
                f"What answers at {address} is not the learner this machine joined: its certificate is another."
                " If the learner was set up anew, join it again; otherwise look at host and port."
            )
        case grpc.StatusCode.UNAVAILABLE:
            return LinkLost(f"the connection to {address} broke or cannot be made ({_short(details)})")
        case grpc.StatusCode.UNIMPLEMENTED:
            return LinkRefused(
                f"What answers at {address} knows no link: install the same version of hilserl-tui on both machines."
            )
        case code:
            return LinkLost(f"the link to {address} broke: {code.name.lower()}, {_short(details)}")


def _short(details: str) -> str:
    return details.split("\n")[0][:120]
