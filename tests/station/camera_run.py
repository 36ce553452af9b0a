"""A station whose simulated arm has two network cameras, in real processes."""

from pathlib import Path

from tests.station.test_run import Run, small_config
from workers.camera.find import toml_lines

NAMES = ("front", "side")


def camera_run(folder: Path, urls: tuple[str, str], width: int, height: int) -> Run:
    """Starts at a console's `StartRun`; the scripted person demonstrates, then the policy trains."""
    path = small_config(folder)
    text = path.read_text()
    start, end = text.index("[env.robot.cameras.front]"), text.index("[env.processor]\n")
    tables = [toml_lines(name, url, width, height, 30.0) for name, url in zip(NAMES, urls, strict=True)]
    path.write_text(text[:start] + "\n".join(tables) + "\n" + text[end:])
    return Run(folder, "--serve")
