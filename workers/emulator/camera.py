"""An emulated camera: MJPEG over HTTP on this machine, with every fault that a real one has, by script.

Each connection gets pictures of its own, drawn when they are due: a camera that nobody looks at costs nothing.
"""

import http.server
import json
import sys
import threading
import time
from dataclasses import dataclass, fields, replace
from typing import Final, Literal, TextIO

import cv2
import numpy as np

from workers.emulator.card import View, draw, stamp

Fault = Literal["", "black", "bright", "freeze", "truncate", "corrupt", "stall", "close", "refuse"]
BOUNDARY: Final = "picture"
PATH: Final = "/stream.mjpg"
QUALITY: Final = 85
POLL_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the camera does now."""

    width: int = 640
    height: int = 480
    fps: float = 30.0
    view: View = "front"
    fault: Fault = ""
    every: int = 1
    """Of `truncate` and `corrupt`: every how manyth picture is damaged."""


class CameraEmulator:
    """Serves one camera at `url` until closed. `behaviour` may be replaced at any time."""

    def __init__(self, behaviour: Behaviour = Behaviour(), port: int = 0, host: str = "127.0.0.1") -> None:
        """Port 0 takes a free one. Raises OSError where the port is taken."""
        self.behaviour = behaviour
        self.closing = threading.Event()
        self._server = _Server((host, port), self)
        self.url = f"http://{host}:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def script(self, **changes: object) -> None:
        """Change the behaviour. Raises ValueError for what it does not have."""
        unknown = changes.keys() - {field.name for field in fields(Behaviour)}
        if unknown:
            raise ValueError(f"an emulated camera has no {', '.join(sorted(unknown))}")
        self.behaviour = replace(self.behaviour, **changes)  # type: ignore[arg-type]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1.0)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], camera: CameraEmulator) -> None:
        self.camera = camera
        super().__init__(address, _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Somebody who hangs up is no error."""


class _Connection(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        camera = self.server.camera
        if camera.behaviour.fault == "refuse":
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self._stream(camera)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed of a visit."""

    def _stream(self, camera: CameraEmulator) -> None:
        due_s, number, jpeg = time.monotonic(), 0, b""
        while not camera.closing.is_set():
            now = camera.behaviour
            due_s = max(due_s, time.monotonic() - 1.0 / now.fps) + 1.0 / now.fps
            time.sleep(max(0.0, due_s - time.monotonic()))
            now = camera.behaviour
            if now.fault in ("close", "refuse"):
                return
            if now.fault == "stall":
                time.sleep(POLL_S)
                continue
            if not (now.fault == "freeze" and jpeg):
                jpeg = picture(now)
            number += 1
            self._send(damaged(jpeg, now.fault) if number % now.every == 0 else jpeg)

    def _send(self, jpeg: bytes) -> None:
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        self.wfile.write(head.encode() + jpeg + b"\r\n")


def picture(now: Behaviour) -> bytes:
    """The JPEG of this moment."""
    if now.fault in ("black", "bright"):
        card = np.full((now.height, now.width, 3), 255 if now.fault == "bright" else 0, np.uint8)
    else:
        card = draw(now.view, now.height, now.width, time.monotonic())
        stamp(card)
    done, jpeg = cv2.imencode(".jpg", card[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    assert done
    return jpeg.tobytes()


def damaged(jpeg: bytes, fault: Fault) -> bytes:
    """The picture as a bad cable leaves it: cut off, or with a hole in its middle."""
    if fault == "truncate":
        return jpeg[: len(jpeg) // 2]
    if fault == "corrupt":
        hole = max(64, len(jpeg) // 8)
        return jpeg[: len(jpeg) // 2] + bytes(hole) + jpeg[len(jpeg) // 2 + hole :]
    return jpeg


def serve_scripted(camera: CameraEmulator, orders: TextIO = sys.stdin, told: TextIO = sys.stdout) -> None:
    """Say the address, then take the script, one JSON object of changes a line, until there are no more."""
    print(camera.url, file=told, flush=True)
    for line in orders:
        camera.script(**json.loads(line))
        print("ok", file=told, flush=True)
    camera.close()
