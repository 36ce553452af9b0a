"""Camera pictures go to the consoles when the configuration lets them."""

from pathlib import Path

import pytest

from tests.altered import altered
from tests.station.test_station import Hands
from workers.model.commands import ShowCameras
from workers.model.orders import Preview
from workers.station.server import Console as Attached
from workers.station.station import Station


def orders_for_pictures(folder: Path, display: bool) -> tuple[Station, list[object]]:
    """A station to which a console that wants pictures is attached, and what a camera was ordered."""
    keys = {"run.directory": str(folder), "env.processor.observation.display_cameras": display}
    station = Station(altered(keys), Path("c.toml"), None, wait_for_start=False)
    camera = Hands()
    station._handles["camera-front"] = camera  # type: ignore[assignment]
    console = Attached("me", None)  # type: ignore[arg-type]
    console.cameras = ShowCameras(60, 60, 10.0)
    station._server._consoles.append(console)
    station._on_consoles()
    return station, list(camera.given)


def test_a_console_gets_the_pictures_it_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    station, orders = orders_for_pictures(tmp_path, display=True)
    assert orders == [Preview(60, 60, 10.0)]
    assert station.state.run is not None and station.state.run.previews


def test_without_display_cameras_none_are_ordered_and_the_consoles_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    station, orders = orders_for_pictures(tmp_path, display=False)
    assert orders == []
    assert station.state.run is not None and not station.state.run.previews
    assert station.state.control.attached == 1
