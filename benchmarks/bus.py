"""The servo bus on an emulated arm with the wire time of 1 Mbaud: our cycle beside the vendor's SDK, and a soak.

A cycle reads the whole state of six servos and writes six goals. Faults of the soak are drawn by the emulator, which
also knows what each servo really said: an accepted value that it did not say in that very exchange is stale.

    python -m benchmarks.bus --seconds 20
    python -m benchmarks.bus --soak-minutes 10
"""

import argparse
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
from scservo_sdk import COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PacketHandler, PortHandler

from tests.emulators.bus import EmulatedBus, emulated_bus
from tests.robot.arm.arms import Judge, open_arm
from workers.robot.drivers import ArmGone

HZ = 50.0
WANTED_MS, WANTED_CPU_PCT = 3.0, 5.0
RATES = (
    0.005,
    0.01,
    0.02,
    0.05,
)  # of replies, in turn; each a quarter of it dropped, corrupted, late, cut short
JUDGED_S = 20.0
IDS = range(1, 7)


def paced(cycle: Callable[[], None], seconds: float, hz: float) -> tuple[np.ndarray, float]:
    """Milliseconds of each cycle at a rate (0: as fast as it goes), and the share of a core that all of it took."""
    times, next_s = [], time.monotonic()
    begun_s, cpu_s = next_s, time.process_time()
    while time.monotonic() - begun_s < seconds:
        at_s = time.monotonic()
        cycle()
        times.append(time.monotonic() - at_s)
        next_s += 1.0 / hz if hz else 0.0
        time.sleep(max(0.0, next_s - time.monotonic()))
    share = (time.process_time() - cpu_s) / (time.monotonic() - begun_s)
    return np.array(times) * 1e3, share * 100.0


@contextmanager
def ours(emulated: EmulatedBus) -> Any:
    arm = open_arm(emulated)
    arm.set_torque(True)
    goal = arm.read().joints_deg

    def cycle() -> None:
        arm.read()
        arm.write(goal)

    try:
        yield cycle
    finally:
        arm.close()


@contextmanager
def sdk(emulated: EmulatedBus) -> Any:
    """What LeRobot's bus does with the SDK, for the same registers."""
    port, packets = PortHandler(emulated.port), PacketHandler(0)
    assert port.openPort() and port.setBaudRate(1_000_000)
    reader, writer = GroupSyncRead(port, packets, 56, 15), GroupSyncWrite(port, packets, 42, 2)
    for each in IDS:
        reader.addParam(each)

    def cycle() -> None:
        if reader.txRxPacket() != COMM_SUCCESS:
            return
        writer.clearParam()
        for each in IDS:
            position = reader.getData(each, 56, 2)
            for address, size in ((58, 2), (60, 2), (62, 1), (63, 1), (69, 2)):
                reader.getData(each, address, size)
            writer.addParam(each, [position & 0xFF, position >> 8])
        writer.txPacket()

    try:
        yield cycle
    finally:
        port.closePort()


def compare(seconds: float) -> bool:
    print(f"{'':28}{'p50 ms':>9}{'p99 ms':>9}{'cycles/s':>10}{'CPU %':>8}")
    good = True
    for name, opened in (("ours", ours), ("SDK", sdk)):
        for hz in (HZ, 0.0):
            with emulated_bus() as emulated, opened(emulated) as cycle:
                times, cpu_pct = paced(cycle, seconds, hz)
            p50, p99 = np.percentile(times, (50, 99))
            how = f"{name}, {hz:g} Hz" if hz else f"{name}, as fast as it goes"
            print(f"{how:28}{p50:9.2f}{p99:9.2f}{len(times) / seconds:10.0f}{cpu_pct:8.1f}", flush=True)
            if name == "ours" and hz:
                good = p50 <= WANTED_MS and cpu_pct <= WANTED_CPU_PCT
    verdict = "ok" if good else "NOT MET"
    print(f"wanted of ours at {HZ:g} Hz: p50 <= {WANTED_MS:g} ms, CPU <= {WANTED_CPU_PCT:g} %: {verdict}")
    return good


def soak(minutes: float) -> bool:
    """Swings and faults, until the time is over. True when nothing was aborted and nothing stale accepted."""
    aborts, cycles, late = 0, 0, 0
    with emulated_bus() as emulated:
        judge, arm = Judge(emulated), open_arm(emulated)
        arm.set_torque(True)
        home = arm.read().joints_deg
        begun_s = next_s = judged_s = time.monotonic()
        while (now_s := time.monotonic()) - begun_s < minutes * 60.0:
            if now_s >= judged_s:
                judge.judge()
                turn = int((now_s - begun_s) / JUDGED_S)
                each = RATES[turn % len(RATES)] / 4.0
                emulated.rates(
                    drop=each,
                    corrupt=each,
                    late=each,
                    truncate=each,
                    late_ms=10.0 + 37.0 * (turn % 8),
                    seed=turn,
                )
                judged_s = now_s + JUDGED_S
                print(
                    f"{now_s - begun_s:6.0f} s  {RATES[turn % len(RATES)]:6.1%}  accepted {judge.accepted}, missed "
                    f"{judge.missed}, stale {len(judge.wrong)}, aborts {aborts}",
                    flush=True,
                )
            try:
                judge.read(arm)
                arm.write(home + 8.0 * np.sin(now_s * 2.0) * np.array([1.0, 0.3, 0.3, 1.0, 1.0, 2.0]))
            except ArmGone as gone:
                aborts += 1
                print(gone)
            cycles += 1
            next_s += 1.0 / HZ
            wait_s = next_s - time.monotonic()
            late += wait_s < 0.0
            time.sleep(max(0.0, wait_s))
            next_s = max(next_s, time.monotonic() - 1.0 / HZ)
        judge.judge()
        met = emulated.ask("counters")["met"]
        arm.close()
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(met.items()))
    print(f"{minutes:g} min at {HZ:g} Hz: {cycles} cycles, {late} of them late; faults met: {faults}")
    print(f"accepted {judge.accepted}, missed {judge.missed}, stale {len(judge.wrong)}, aborts {aborts}")
    return not (aborts or judge.wrong)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="for each of four comparisons")
    parser.add_argument("--soak-minutes", type=float, default=0.0, help="soak so long instead")
    given = parser.parse_args()
    good = soak(given.soak_minutes) if given.soak_minutes else compare(given.seconds)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
