"""What 1,000 connection attempts of strangers a second do to a 50 Hz loop on the machine of a learner's server.

The server is the real one, in a process of its own at nice 10, as the product runs it. Strangers connect and hang up;
connect and send noise; send a TLS hello, for which the server signs, and hang up; shake hands to the end; or call
without a token. They run on this machine too, at nice 19: elsewhere they would cost it nothing. Late is how far
the loop wakes behind its deadline.

Run: python -m benchmarks.hostile [--seconds N] [--rate N] [--json]
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import grpc
import numpy as np

from workers.transport.certificate import NAME
from workers.transport.guard import secure_server
from workers.transport.limits import channel_options

PERIOD_S = 0.02
SETTLE_S = 1.0
HOST = "127.0.0.1"


async def serve() -> None:
    """A learner's server; its port on stdout. Lives until it is killed."""
    os.nice(10)
    server = secure_server(f"{HOST}:0", run="benchmark")
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


def attempts(kind: str, port: int) -> Callable[[], object]:
    """One attempt of a stranger."""
    address = (HOST, port)
    hello, noise = tls_hello(), os.urandom(200)
    certificate = ssl.get_server_certificate(address)
    context = stranger()
    context.load_verify_locations(cadata=certificate)

    def connect(sent: bytes) -> None:
        with socket.create_connection(address, timeout=1.0) as connection:
            connection.sendall(sent)

    def shake_hands() -> None:
        with socket.create_connection(address, timeout=1.0) as connection:
            context.wrap_socket(connection, server_hostname=NAME).close()

    def call() -> None:
        try:
            method(b"", timeout=1.0)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED

    tls = grpc.ssl_channel_credentials(certificate.encode())
    channel = grpc.secure_channel(f"{HOST}:{port}", tls, options=channel_options(NAME))
    method = channel.unary_unary("/hilserl.v1.Learner/FetchPolicy")
    return {
        "connect": lambda: connect(b""),
        "noise": lambda: connect(noise),
        "hello": lambda: connect(hello),
        "handshake": shake_hands,
        "call": call,
    }[kind]


def attack(kind: str, port: int, rate: float, seconds: float) -> None:
    """Attempts at a steady rate, or as many as go; how many a second there were on stdout."""
    os.nice(19)
    attempt = attempts(kind, port)
    started = time.perf_counter()
    made = 0
    while (passed := time.perf_counter() - started) < seconds:
        if made >= passed * rate:
            time.sleep(0.0005)
            continue
        made += 1
        with contextlib.suppress(OSError):
            attempt()
    print(made / seconds, flush=True)


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
    with contextlib.ExitStack() as stack:
        attacker = None
        if kind != "nobody":
            command = [*ours("--attack", kind, str(port)), f"--seconds={seconds}", f"--rate={rate}"]
            attacker = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            time.sleep(2 * SETTLE_S)  # its start, too, is not to be measured
        before = cpu_s(server.pid)
        late = late_ms(seconds)
        busy = 100 * (cpu_s(server.pid) - before) / seconds
        reached = float(attacker.communicate()[0]) if attacker else 0.0
    p50, p99 = np.percentile(late, [50, 99])
    return {
        "attempts_per_s": reached,
        "server_cpu_percent": busy,
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "max_ms": max(late),
    }


def measure(seconds: float, rate: float) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as state:
        environment = os.environ | {"XDG_CONFIG_HOME": state}
        server = subprocess.Popen(ours("--serve"), stdout=subprocess.PIPE, text=True, env=environment)
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            kinds = ("nobody", "connect", "noise", "hello", "handshake", "call", "nobody")
            rows = {}
            for turn, kind in enumerate(kinds):
                name = kind if turn < len(kinds) - 1 else "nobody, again"
                rows[name] = row(server, kind, port, seconds, rate)
            return rows
        finally:
            server.kill()
            server.wait()


def ours(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.hostile", *arguments]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each row")
    parser.add_argument("--rate", type=float, default=1000.0, help="attempts a second")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--attack", nargs=2, metavar=("KIND", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
    elif options.attack:
        kind, port = options.attack
        attack(kind, int(port), options.rate, options.seconds + 2 * SETTLE_S)
    else:
        show(measure(options.seconds, options.rate), options.json)


def show(rows: dict[str, dict[str, float]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    print(
        f"{'strangers':<16}{'attempts/s':>11}{'server CPU %':>14}{'late p50 ms':>13}{'p99 ms':>9}{'max ms':>9}"
    )
    for name, figures in rows.items():
        attempted, busy, p50, p99, most = figures.values()
        print(f"{name:<16}{attempted:11.0f}{busy:14.1f}{p50:13.2f}{p99:9.2f}{most:9.2f}")


if __name__ == "__main__":
    main()
