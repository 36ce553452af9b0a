"""hilserl-worker find-cameras and emulate-camera: what cameras there are, and one where there is none."""

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

EXIT_REFUSED = 2


def emulate_camera(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on. 0 takes a free one.")
    ] = 8090,
    view: Annotated[str, typer.Option(help="'front' or 'wrist'.")] = "front",
    width: Annotated[int, typer.Option(min=64, max=4096, help="Pixels.")] = 640,
    height: Annotated[int, typer.Option(min=64, max=4096, help="Pixels.")] = 480,
    fps: Annotated[float, typer.Option(min=0.1, max=240.0, help="Pictures a second.")] = 30.0,
    script: Annotated[
        bool,
        typer.Option("--script", help="Read faults from standard input, one JSON object a line. For tests."),
    ] = False,
) -> None:
    """Emulate a camera: a moving test card as MJPEG over HTTP, for this machine only, until Ctrl-C.

    Two of them, on two ports, are enough to try everything that needs cameras.
    """
    from workers.emulator.camera import Behaviour, CameraEmulator, serve_scripted

    if view not in ("front", "wrist"):
        raise typer.BadParameter("'front' or 'wrist'", param_hint="--view")
    try:
        camera = CameraEmulator(Behaviour(width, height, fps, view), port)  # type: ignore[arg-type]
    except OSError as error:
        words = f"port {port} cannot be used: {error.strerror}. Give another one, or 0 for any that is free"
        typer.echo(words, err=True)
        raise typer.Exit(EXIT_REFUSED) from error
    if script:
        serve_scripted(camera)
        return
    typer.echo(
        f"{view} camera at {camera.url}, {width}x{height} at {fps:g} fps; Ctrl-C ends it. For your TOML:\n"
    )
    typer.echo(_toml(view, camera.url, width, height, fps))
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    camera.close()


def find_cameras(
    output: Annotated[Path, typer.Option(help="Folder for a picture of each camera.")] = Path(
        "cameras_found"
    ),
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--also", metavar="ADDRESS", help="Address of a network camera, or a video file, to look at too."
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Report what is plugged in or out, until Ctrl-C.")
    ] = False,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Draw the pictures in the terminal.")
    ] = True,
) -> None:
    """List the cameras with names that survive a reboot, the formats they offer, and lines for your TOML.

    A picture of each is saved, so that you see which is which. With --watch, plug one in to see its name.
    """
    from workers.camera.find import Finder, Places, watch_places

    if watch:
        typer.echo("Plug a camera in or out; Ctrl-C ends this.")
        try:
            watch_places(Places(), typer.echo)
        except KeyboardInterrupt:
            return
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        typer.echo(f"{output} cannot be made: {error.strerror}. Name another folder with --output", err=True)
        raise typer.Exit(EXIT_REFUSED) from error
    finder = Finder(Places(), output, typer.echo, draw=pictures and sys.stdout.isatty())
    if not finder.run(also or ()):
        raise typer.Exit(1)


def _toml(name: str, device: str, width: int, height: int, fps: float) -> str:
    from workers.camera.find import toml_lines

    return toml_lines(name, device, width, height, fps)
