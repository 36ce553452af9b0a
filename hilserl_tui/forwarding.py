"""hilserl-tui forward-gamepad: `hilserl-worker forward-gamepad` in this terminal.

The token goes to the worker by its standard input, where no process list shows it.
"""

import subprocess
import sys

from hilserl_tui.opening import refuse


def forward(address: str, pin: str | None, token: str | None, options: list[str]) -> int:
    """Run the worker to its end, which Ctrl-C is; its exit code."""
    if (pin is None) is not (token is None):
        refuse(
            "the line is incomplete",
            "--pin and --token belong together",
            "copy all of the line that `hilserl-worker invite-gamepad` prints on the robot PC",
        )
    command = [sys.executable, "-m", "workers.cli", "forward-gamepad", address, *options]
    command += [] if pin is None else ["--pin", pin]
    try:
        with subprocess.Popen(command, stdin=None if token is None else subprocess.PIPE, text=True) as worker:
            try:
                worker.communicate(None if token is None else f"{token}\n")
            except KeyboardInterrupt:  # the worker has it too: it lets go of the arm and says so
                worker.wait()
            return worker.returncode
    except OSError as error:
        refuse(
            f"hilserl-worker could not be started: {error}", "the installation is incomplete", "reinstall it"
        )
