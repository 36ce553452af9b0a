"""Replay buffers: fill, mix and bytes."""

from hilserl_tui.panes.draw import Row, bar, count, size
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View


class Buffer(Lines):
    title = "replay"

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.buffer, view.state.run

    def heading(self, view: View) -> tuple[str, str]:
        used = view.state.buffer.bytes_used
        return self.title, size(used) if used else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        buffer, run = view.state.buffer, view.state.run
        if run is None:
            return [(("waiting for the learner", "dim"),)]
        rows = [
            _fill("online ", buffer.online, run.online_capacity, width, "blue"),
            _fill("offline", buffer.offline, run.offline_capacity, width, "amber"),
        ]
        if height >= 3:
            rows.append(
                (
                    ("  of it  ", "dim"),
                    (f"{count(buffer.demonstrations):>5}", "text"),
                    (" demos" if width < 48 else " demonstration", "dim"),
                    (f" {count(buffer.interventions):>5}", "text"),
                    (" human" if width < 48 else " intervention", "dim"),
                )
            )
        if height >= 4:
            online = run.online_ratio
            wide = max(4, width - 26)
            mixed = round(wide * online)
            rows.append(
                (
                    ("batch    ", "dim"),
                    ("█" * mixed, "blue"),
                    ("█" * (wide - mixed), "amber"),
                    (f" {online:3.0%} / {1 - online:3.0%}", "text"),
                )
            )
        return rows


def _fill(name: str, held: int, capacity: int, width: int, style: str) -> Row:
    wide = max(4, width - 22)
    share = held / capacity if capacity else 0.0
    numbers = f" {count(held):>5}/{count(capacity):<5}"
    return ((f"{name}  ", "dim"), *bar(share, wide, style), (numbers, "text"))
