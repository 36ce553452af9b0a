"""`hilserl-worker join`: what a join line earns, kept on this machine."""

import getpass
import socket

import typer

from workers.station.opening import StationRefused


def joined(address: str, pin: str, token: str) -> int:
    """Join the learner at `address` and say what was kept. Raises StationRefused, with what to do, when it will not."""
    from workers.transport.credentials import CredentialError
    from workers.transport.enrolment import JoinInvitation, JoinRefused, join

    try:
        invitation = JoinInvitation.of(address, pin, token)
        run = join(invitation, f"{getpass.getuser()}@{socket.gethostname()}")
    except (JoinRefused, CredentialError) as refused:
        raise StationRefused(str(refused)) from refused
    typer.echo(f"joined the learner at {invitation.address}, which learns the run {run}")
    typer.echo("kept for this user only: its certificate and a session token for this machine")
    return 0
