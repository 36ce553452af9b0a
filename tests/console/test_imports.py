import subprocess
import sys

HEAVY = ("torch", "cv2", "mujoco", "pinocchio", "numpy", "grpc", "pandas", "PIL")


def modules_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(out.stdout.split())


def loaded_after(code: str) -> set[str]:
    return {name.partition(".")[0] for name in modules_after(code)}


def test_the_console_never_imports_anything_heavy():
    loaded = loaded_after(
        "import hilserl_tui.app, hilserl_tui.commands, hilserl_tui.client, hilserl_tui.recording"
    )
    assert not loaded & set(HEAVY)


def test_the_command_line_opens_no_toolkit_before_it_needs_one():
    assert "textual" not in loaded_after("import hilserl_tui.cli, hilserl_tui.commands, hilserl_tui.opening")


def test_the_first_screen_does_not_wait_for_what_it_does_not_show():
    """Configuration, advice and figures of an evaluation were a tenth of the time from a command to a live screen."""
    loaded = modules_after(
        "import hilserl_tui.finding, hilserl_tui.opening, hilserl_tui.client, hilserl_tui.app"
    )
    late = (
        "workers.config",
        "workers.model.advice",
        "workers.model.evaluation_figures",
        "tomllib",
        "statistics",
    )
    assert not loaded & set(late)
