import subprocess
import sys

HEAVY = ("torch", "cv2", "mujoco", "pinocchio", "numpy", "grpc", "pandas", "PIL")


def loaded_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in out.stdout.split()}


def test_the_console_never_imports_anything_heavy():
    loaded = loaded_after(
        "import hilserl_tui.app, hilserl_tui.commands, hilserl_tui.client, hilserl_tui.recording"
    )
    assert not loaded & set(HEAVY)


def test_the_command_line_opens_no_toolkit_before_it_needs_one():
    assert "textual" not in loaded_after("import hilserl_tui.cli, hilserl_tui.commands, hilserl_tui.opening")
