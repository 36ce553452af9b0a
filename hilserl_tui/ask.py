"""Short dialogues with a station, without a screen: what it does, and that it should end."""

import asyncio
import os

from hilserl_tui.client import read_message
from workers.model import select
from workers.model.commands import ShutDown, TakeControl
from workers.model.places import StationLock
from workers.model.wire import PROTOCOL_VERSION, Hello, Role, Welcome, WireError, frame

WITHIN_S = 2.0
NO_ANSWER = (OSError, EOFError, TimeoutError, WireError)


async def ask_to_end(lock: StationLock) -> bool:
    """Take the controls and end the run; False when the station does not answer."""
    try:
        _, _, writer = await attached(lock)
        writer.write(frame(TakeControl(_name())) + frame(ShutDown()))
        await asyncio.wait_for(writer.drain(), WITHIN_S)
        await asyncio.sleep(0.2)  # read before the connection, and with it the controls, are gone
        writer.close()
    except NO_ANSWER:
        return False
    return True


async def describe(lock: StationLock) -> str:
    """One line about a live run."""
    try:
        welcome, _, writer = await attached(lock)
    except NO_ANSWER:
        return f"{lock.run:<24} pid {lock.pid:<8} does not answer"
    writer.close()
    state = welcome.snapshot
    alone = select.autonomous_success(select.training_episodes(state))
    success = "   –" if alone is None else f"{alone:.2f}"
    return (
        f"{lock.run:<24} pid {lock.pid:<8} {state.progress.phase.value:<12} "
        f"{len(state.episodes):4d} episodes   alone {success}   {state.control.attached} consoles"
    )


async def attached(
    lock: StationLock,
) -> tuple[Welcome, asyncio.StreamReader, asyncio.StreamWriter]:
    """Hello and Welcome. Raises WireError when the station refuses."""
    reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(lock.socket), WITHIN_S)
    writer.write(frame(Hello(protocol=PROTOCOL_VERSION, role=Role.CONSOLE, console=_name())))
    answer = await asyncio.wait_for(read_message(reader), WITHIN_S)
    if not isinstance(answer, Welcome):
        raise WireError("the station refused")
    return answer, reader, writer


def _name() -> str:
    return f"hilserl-tui.{os.getpid()}"
