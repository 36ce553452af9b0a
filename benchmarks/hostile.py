"""What 1,000 connection attempts of strangers a second do to a 50 Hz loop on the machine of a learner's server.

The server is the real one, in a process of its own at nice 10, as the product runs it. Strangers connect and hang up;
connect and send noise; send a TLS hello, for which the server signs, and hang up; shake hands to the end; or call
without a token. They run on this machine too, at nice 19: elsewhere they would cost it nothing. Late is how far
the loop wakes behind its deadline.

Run: python -m benchmarks.hostile [--seconds N] [--rate N] [--nice N] [--json]
"""

import argparse
import asyncio
import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine

import grpc
import numpy as np

from workers.transport.certificate import NAME
from workers.transport.guard import secure_server
from workers.transport.limits import channel_options

PERIOD_S = 0.02
TURN_S = 5.0
SETTLE_S = 0.2
KINDS = ("connect", "noise", "hello", "handshake", "call")
HOST = "127.0.0.1"
STRANGER = ("127.0.0.2", 0)  # whence they come, but for calls, for which gRPC chooses


async def serve(nice: int) -> None:
    """A learner's server; its port on stdout. Lives until it is killed."""
    os.nice(nice)
    server = secure_server(f"{HOST}:0", run="benchmark", on_event=lambda _: None)
    await server.start()
    print(server.port, flush=True)
    await server.grpc.wait_for_termination()


def stranger() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    return context


def tls_hello() -> bytes:
    """First message of a TLS client."""
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        stranger().wrap_bio(ssl.MemoryBIO(), out, server_hostname=NAME).do_handshake()
    return out.read()


def attempts(kind: str, port: int) -> Callable[[], Coroutine[None, None, None]]:
    """One attempt of a stranger."""
    hello, noise = tls_hello(), os.urandom(200)
    certificate = ssl.get_server_certificate((HOST, port))
    context = stranger()
    context.load_verify_locations(cadata=certificate)

    async def connect(sent: bytes, tls: ssl.SSLContext | None = None) -> None:
        name = NAME if tls else None
        _, writer = await asyncio.open_connection(
            HOST, port, local_addr=STRANGER, ssl=tls, server_hostname=name
        )
        writer.write(sent)
        writer.close()

    async def call() -> None:
        try:
            await method(b"", timeout=1.0)
        except grpc.aio.AioRpcError as error:
            assert error.code() is not grpc.StatusCode.OK

    if kind == "call":
        credentials = grpc.ssl_channel_credentials(certificate.encode())
        channel = grpc.aio.secure_channel(f"{HOST}:{port}", credentials, options=channel_options(NAME))
        method = channel.unary_unary("/hilserl.v1.Learner/FetchPolicy")
    return {
        "connect": lambda: connect(b""),
        "noise": lambda: connect(noise),
        "hello": lambda: connect(hello),
        "handshake": lambda: connect(b"", context),
        "call": call,
    }[kind]


async def attack(kind: str, port: int, rate: float) -> None:
    """For every line with a number on stdin, that many seconds of attempts at this rate, or as many as go.

    How many there were goes to stdout. No attempt waits for the one before it.
    """
    os.nice(19)
    attempt = attempts(kind, port)

    async def once() -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await attempt()

    for line in sys.stdin:
        seconds = float(line)
        started = time.perf_counter()
        made = 0
        trying: set[asyncio.Task[None]] = set()
        while (passed := time.perf_counter() - started) < seconds:
            while made < passed * rate:
                made += 1
                task = asyncio.create_task(once())
                trying.add(task)
                task.add_done_callback(trying.discard)
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        print(made, flush=True)
        await asyncio.gather(*trying)


def late_ms(seconds: float) -> list[float]:
    """How late each turn of a 50 Hz loop begins."""
    turns = round(seconds / PERIOD_S)
    late = []
    begun = time.perf_counter()
    for turn in range(1, turns + 1):
        deadline = begun + turn * PERIOD_S
        time.sleep(max(0.0, deadline - time.perf_counter()))
        late.append(1e3 * (time.perf_counter() - deadline))
    return late


def cpu_s(pid: int) -> float:
    """CPU time a process has used, seconds (proc(5): utime and stime)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def row(server: subprocess.Popen[str], kind: str, port: int, seconds: float, rate: float) -> dict[str, float]:
    """Quiet and hostile turns by halves: what else the machine does falls on both."""
    attacker = subprocess.Popen(
        ours("--attack", kind, str(port), f"--rate={rate}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert attacker.stdin is not None and attacker.stdout is not None
    quiet: list[float] = []
    hostile: list[float] = []
    made, busy_s = 0, 0.0
    turns = max(1, round(seconds / TURN_S))
    with attacker:
        for _ in range(turns):
            quiet += late_ms(TURN_S)
            before_s = cpu_s(server.pid)
            attacker.stdin.write(f"{TURN_S + 2 * SETTLE_S}\n")
            attacker.stdin.flush()
            time.sleep(SETTLE_S)
            hostile += late_ms(TURN_S)
            made += int(attacker.stdout.readline())
            busy_s += cpu_s(server.pid) - before_s
        attacker.stdin.close()
    attacked_s = turns * (TURN_S + 2 * SETTLE_S)
    return {
        "attempts_per_s": made / attacked_s,
        "server_cpu_percent": 100 * busy_s / attacked_s,
        "p99_without_ms": float(np.percentile(quiet, 99)),
        "p99_with_ms": float(np.percentile(hostile, 99)),
    }


def measure(seconds: float, rate: float, nice: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as state:
        environment = os.environ | {"XDG_CONFIG_HOME": state}
        server = subprocess.Popen(
            ours("--serve", f"--nice={nice}"), stdout=subprocess.PIPE, text=True, env=environment
        )
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            return {kind: row(server, kind, port, seconds, rate) for kind in KINDS}
        finally:
            server.kill()
            server.wait()


def ours(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.hostile", *arguments]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="with strangers, each row")
    parser.add_argument("--rate", type=float, default=1000.0, help="attempts a second")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--nice", type=int, default=10, help="of the server")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--attack", nargs=2, metavar=("KIND", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.nice))
    elif options.attack:
        kind, port = options.attack
        asyncio.run(attack(kind, int(port), options.rate))
    else:
        show(measure(options.seconds, options.rate, options.nice), options.json)


def show(rows: dict[str, dict[str, float]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    print(
        f"{'':<12}{'attempts/s':>11}{'server CPU %':>14}{'late p99 ms, without':>22}{'with':>8}{'change':>8}"
    )
    for name, figures in rows.items():
        attempted, busy, without, beside = figures.values()
        print(f"{name:<12}{attempted:11.0f}{busy:14.1f}{without:22.2f}{beside:8.2f}{beside - without:+8.2f}")


if __name__ == "__main__":
    main()
