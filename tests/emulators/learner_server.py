"""A learner's real server with handlers that only note that they ran."""

from dataclasses import dataclass, field

import grpc

from tests.emulators.echo_services import Echo, Method
from workers.transport.certificate import NAME
from workers.transport.enrolment import JoinInvitation
from workers.transport.guard import SecureServer, secure_server
from workers.transport.limits import channel_options
from workers.transport.limits_peers import SecurityEvent


@dataclass
class Learner:
    server: SecureServer
    echo: Echo
    events: list[SecurityEvent] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def stranger(self, token: str | None = None) -> grpc.aio.Channel:
        """A channel of somebody who knows the certificate, and shows `token` if any."""
        tls = grpc.ssl_channel_credentials(self.server.certificate)
        if token is not None:
            tls = grpc.composite_channel_credentials(tls, grpc.access_token_call_credentials(token))
        return grpc.aio.secure_channel(self.address, tls, options=channel_options(NAME))

    async def status(self, method: Method, token: str | None = None) -> grpc.StatusCode:
        async with self.stranger(token) as channel:
            return await method.call(channel)

    def invite(self) -> JoinInvitation:
        return self.server.invite()


def learner_at(listen: str = "127.0.0.1:0") -> Learner:
    """Not started yet. To be made in a running event loop."""
    events: list[SecurityEvent] = []
    made = Learner(secure_server(listen, run="pick", on_event=events.append), Echo(), events)
    made.echo.add_to(made.server.grpc)
    return made
