"""The learner's door: TLS always, and no call but Enrol without the token of a robot that joined."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc

from workers.transport import channel_address
from workers.transport.certificate import Identity, own_identity
from workers.transport.channel import Credential, LocalCredential
from workers.transport.credentials import CredentialError, state_dir
from workers.transport.door import Door
from workers.transport.enrolment import JoinInvitation
from workers.transport.enrolment_service import METHOD, EnrolmentService
from workers.transport.guard_messages import tolerant
from workers.transport.limits import server_options
from workers.transport.limits_peers import SecurityEvent, Watchman, address_of
from workers.transport.tokens import JoinTokens, SessionTokens

log = logging.getLogger(__name__)


class ListenRefused(Exception):
    """The address cannot be listened at; the message says why and what to do."""


class Guard(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Looks at the token of every call before its handler is even looked up, health and unknown methods included."""

    def __init__(self, sessions: SessionTokens, watchman: Watchman, door: Door) -> None:
        self._sessions = sessions
        self._watchman = watchman
        self._door = door
        # A stream each way whatever the method is: that way nothing a stranger sends is read.
        self._refusal = grpc.stream_stream_rpc_method_handler(self._refuse)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        if handler_call_details.method == METHOD:
            return await continuation(handler_call_details)
        if self.holder(handler_call_details.invocation_metadata) is None:
            return self._refusal
        return tolerant(await continuation(handler_call_details), self._door.proven)

    def holder(self, metadata: Any) -> str | None:
        """Label of the robot whose token these call headers carry, None when they carry none that is valid."""
        shown = [value for key, value in metadata or () if key == "authorization"]
        if len(shown) != 1 or not isinstance(shown[0], str) or not shown[0].startswith("Bearer "):
            return None
        try:
            return self._sessions.holder(shown[0].removeprefix("Bearer "))
        except CredentialError as error:
            self._watchman.note("this machine", str(error))
            return None

    async def _refuse(self, _requests: Any, context: Any) -> None:
        # Not counted towards locking the address out of joining: behind an ssh tunnel or a router it is many
        # machines', and a robot whose access ended calls every few seconds until somebody joins it again.
        peer = context.peer()
        self._watchman.note(self._door.address(peer) or address_of(peer), "calls without a valid token")
        self._door.refused(peer)
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "join first")


class SecureServer:
    """A learner's server: add services to `grpc`, then `start`. To be made in a running event loop."""

    def __init__(
        self,
        listen: str,
        run: str,
        on_event: Callable[[SecurityEvent], None],
        identity: Identity,
        directory: Path,
    ) -> None:
        """`directory`: where who joined is kept."""
        self._host, port = channel_address.split(listen)
        self._run = run
        self._identity = identity
        self._joins = JoinTokens()
        self._sessions = SessionTokens(directory)
        self._watchman = Watchman(on_event)
        try:
            self._door = Door(self._host, port, self._watchman.note)
        except OSError as error:
            raise ListenRefused(
                f"{listen} cannot be listened at: another program has the port, or the address is not this machine's."
                f" `ss -ltnp | grep {port}` shows who has it; or choose another port."
            ) from error
        self.port: int = self._door.port
        self._guard = Guard(self._sessions, self._watchman, self._door)
        self._local: LocalCredential | None = None
        self.grpc = grpc.aio.server(interceptors=[self._guard], options=server_options())
        enrolment = EnrolmentService(self._joins, self._sessions, self._watchman, self._door, run)
        self.grpc.add_generic_rpc_handlers((enrolment.handler(),))
        tls = grpc.ssl_server_credentials([(identity.key, identity.certificate)])
        self._behind: int = self.grpc.add_secure_port("127.0.0.1:0", tls)

    @property
    def pin(self) -> str:
        return self._identity.pin

    @property
    def certificate(self) -> bytes:
        """PEM."""
        return self._identity.certificate

    def addresses(self) -> list[str]:
        """HOST:PORT others may reach this learner at, the likeliest first."""
        everywhere = self._host in channel_address.EVERYWHERE
        hosts = channel_address.machine_addresses() if everywhere else [self._host]
        return [channel_address.joined(host, self.port) for host in hosts]

    def invite(self) -> JoinInvitation:
        """A fresh invitation: good for one robot, for ten minutes."""
        return JoinInvitation(self.addresses()[0], self.pin, self._joins.issue())

    def admits(self, context: Any) -> str | None:
        """Label of the robot that made this call, None once its access was taken away; for streams that last."""
        return self._guard.holder(context.invocation_metadata())

    async def start(self) -> None:
        """Serve, and leave the credential for this user's own robots on this machine."""
        token = self._sessions.issue_for_this_process("this machine")
        address = channel_address.joined("127.0.0.1", self.port)
        self._local = LocalCredential(Credential(address, self.certificate.decode(), token, self._run))
        await self.grpc.start()
        self._door.open(self._behind)

    async def stop(self, grace_s: float = 1.0) -> None:
        """End all calls, after `grace_s` at the latest."""
        if self._local is not None:
            self._local.close()
            self._local = None
        await self.grpc.stop(grace_s)
        self._door.close()
        self._watchman.close()


def secure_server(
    listen: str,
    *,
    run: str,
    on_event: Callable[[SecurityEvent], None] | None = None,
    purpose: str = "learner",
) -> SecureServer:
    """A server at `listen`, "host:port" (port 0: any), with this user's certificate and joined robots.

    Args:
        run: name of the run, told to robots that join.
        on_event: told of strangers; in the event loop. By default they are logged as warnings.
        purpose: what is served; each has its own certificate and list of who joined, good for nothing else.

    Raises ValueError (not an address), CredentialError, ListenRefused.
    """
    directory = state_dir() / purpose
    return SecureServer(listen, run, on_event or _warn, own_identity(directory), directory)


def _warn(event: SecurityEvent) -> None:
    log.warning("%s: %d %s", event.address, event.count, event.what)
