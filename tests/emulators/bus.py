"""An emulated arm for tests, in a process of its own: `with emulated_bus(leader=True) as bus: ... bus.port ...`."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


class EmulatedBus:
    """Handle of the process. Joints go by name; values are degrees, the gripper's percent."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: Path) -> None:
        self.port = str(port)
        """Path that a driver opens; stays the same over `unplug` and `replug`."""
        self._process = process
        self._lock = threading.Lock()

    def ask(self, do: str, **arguments: Any) -> Any:
        """Any command of `workers.emulator.machine.Control`. Raises AssertionError when it is refused."""
        with self._lock:
            assert self._process.stdin is not None and self._process.stdout is not None
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["ok"]

    def script(self, kind: str, **fault: Any) -> None:
        """One fault on the wire, see `workers.emulator.faults.Fault`."""
        self.ask("script", kind=kind, **fault)

    def rates(self, **rates: float) -> None:
        """Random faults, see `workers.emulator.faults.Rates`."""
        self.ask("rates", **rates)

    def clear(self) -> None:
        self.ask("clear")

    def registers(self, joint: str) -> bytes:
        """All 256 of a servo."""
        return bytes(self.ask("registers", joint=joint))

    def state(self) -> dict[str, Any]:
        """The truth: deg, counts, goal, torque, torque_limit, load, temperature [6] each, and time_s."""
        state: dict[str, Any] = self.ask("state")
        return state

    def writes(self, since_s: float = 0.0) -> list[dict[str, Any]]:
        """Every write that reached a servo: time_s, servo, address, data."""
        writes: list[dict[str, Any]] = self.ask("writes", since_s=since_s)
        return writes

    def reads(self, since_s: float = 0.0) -> list[dict[str, Any]]:
        """Every reply as it left a servo, before any fault: time_s, servo, first register, data (the frame)."""
        reads: list[dict[str, Any]] = self.ask("reads", since_s=since_s)
        return reads

    def unplug(self) -> None:
        self.ask("unplug")

    def replug(self) -> None:
        self.ask("replug")

    def power_cycle(self) -> None:
        self.ask("power_cycle")

    def calibration(self) -> dict[str, dict[str, int]]:
        """What LeRobot's calibration file of this arm holds."""
        calibration: dict[str, dict[str, int]] = self.ask("calibration")
        return calibration

    def write_calibration(self, path: Path) -> Path:
        """That file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.calibration(), indent=4))
        return path

    def kill(self) -> None:
        """The emulator dies, and the port with it."""
        self._process.kill()
        self._process.wait()


@contextmanager
def emulated_bus(arm: str = "so101", usb_ms: float = 0.0, **options: Any) -> Iterator[EmulatedBus]:
    """Options are those of `workers.emulator.arm.ArmOptions`: state ("calibrated", "assembled", "factory", "random"),
    leader, volts, seed, pose_deg, mounting, travel_deg, plugged, models, firmware, overload_clears."""
    with tempfile.TemporaryDirectory(prefix="arm") as folder:
        port = Path(folder) / "ttyEMU0"
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.emulator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            start = {"path": str(port), "options": {"arm": arm, **options}, "usb_ms": usb_ms}
            process.stdin.write(json.dumps(start).encode() + b"\n")
            process.stdin.flush()
            assert process.stdout.readline(), "the emulator did not start"
            yield EmulatedBus(process, port)
        finally:
            process.stdin.close()
            try:
                process.wait(5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
