"""A stand-in for hidapi with gamepads that are plugged in, pushed and pulled out by a test, down to the bytes."""

from typing import Any

PATH = b"fake/0"


class FakePad:
    """One gamepad: `send` puts reports into its queue, as long as the pad is there."""

    def __init__(
        self,
        vendor: int,
        product: int,
        name: str = "Pad",
        serial: str = "",
        path: bytes = PATH,
        usage: int = 5,
    ) -> None:
        self.entry = {
            "vendor_id": vendor,
            "product_id": product,
            "product_string": name,
            "serial_number": serial,
            "path": path,
            "usage_page": 1 if usage else 0,
            "usage": usage,
        }
        self.queue: list[bytes] = []
        self.written: list[bytes] = []
        self.forbidden = False

    def send(self, *reports: bytes) -> None:
        self.queue += reports


class FakeHid:
    """The module: `plugged` are the pads that are there."""

    def __init__(self, *plugged: FakePad) -> None:
        self.plugged = list(plugged)
        self.searches = 0

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[dict[str, Any]]:
        self.searches += 1
        return [
            pad.entry
            for pad in self.plugged
            if vendor_id in (0, pad.entry["vendor_id"]) and product_id in (0, pad.entry["product_id"])
        ]

    def device(self) -> "FakeDevice":
        return FakeDevice(self)


class FakeDevice:
    def __init__(self, module: FakeHid) -> None:
        self._module = module
        self._pad: FakePad | None = None

    def open_path(self, path: bytes) -> None:
        pad = next((pad for pad in self._module.plugged if pad.entry["path"] == path), None)
        if pad is None or pad.forbidden:
            raise OSError("open failed")
        self._pad = pad
        pad.queue.clear()

    def set_nonblocking(self, on: int) -> int:
        return 0

    def read(self, max_length: int) -> list[int]:
        if self._pad is None:
            raise ValueError("not open")
        if self._pad not in self._module.plugged:
            raise OSError("read error")
        return list(self._pad.queue.pop(0)[:max_length]) if self._pad.queue else []

    def write(self, data: Any) -> int:
        assert self._pad is not None
        self._pad.written.append(bytes(data))
        return len(data)

    def close(self) -> None:
        self._pad = None
