"""A learner elsewhere on the screen: a lamp while the link is up; how long, how much and why when it is not."""

import pytest

from hilserl_tui.panes.link import LinkPane
from hilserl_tui.screens.arrange import arrange
from hilserl_tui.view import View
from tests.console import demo
from tests.console.still import Still
from tests.console.test_screens import HUGE, LARGE, SIZES, SMALL, drawn
from workers.model import events as e
from workers.model import select
from workers.model.events import ActorSeen, ActorsSeen, LinkChanged, LinkState
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

LEARNER = "10.0.0.5:50051"
TWO = ActorsSeen(
    (ActorSeen("arm", "bench", True, 12_345, 0.4), ActorSeen("left", "desk", False, 4_100, 42.0))
)
REASON = (
    "The policy's networks differ: policy.latent_dim: 128 here, 256 there. "
    "Use the same [policy] section on both machines."
)
LONG = (
    "nobody answers at 10.0.0.5:50051 (timed out): look at learner_host and learner_port, and whether a firewall on"
    " the way lets the port through; the ssh line that the learner prints works without"
)


def up(backlog: int = 0, **figures: float) -> LinkChanged:
    figures = {"round_trip_ms": 12.3, "bytes_per_s": 112_500.0, "since_s": 10.0, **figures}
    return LinkChanged(LinkState.UP, LEARNER, backlog=backlog, backlog_bytes=backlog * 98_000, **figures)


def down(
    state: LinkState = LinkState.DOWN, reason: str = "nobody listens", backlog: int = 840
) -> LinkChanged:
    return LinkChanged(state, LEARNER, reason, since_s=20.0, backlog=backlog, backlog_bytes=backlog * 98_000)


def linked(*events: e.Event) -> ConsoleState:
    state = demo.training()
    for event in (TWO, *events):
        state = reduce(state, event)
    return state


@SIZES
async def test_a_link_that_is_up_is_a_quiet_lamp(size: tuple[int, int]) -> None:
    rows = await drawn(Still(linked(up())), size)
    text = "\n".join(rows)
    assert ("learner ●" if size == LARGE else "net ●") in rows[0]
    assert "▶ POLICY" in rows[0] and "NO LINK" not in text
    for words in (f"● up  {LEARNER}", "12.3 ms", "link 0.9 Mbit/s", "backlog 0", "12.3k", "silent 42 s"):
        assert words in text


@pytest.mark.parametrize("size", [SMALL, LARGE, HUGE], ids=["80x24", "120x40", "200x60"])
async def test_a_link_that_is_down_tells_how_long_and_what_waits_beside_who_drives(
    size: tuple[int, int],
) -> None:
    rows = await drawn(Still(linked(up(), down())), size)  # the clock stands at 104 s
    assert "▶ POLICY" in rows[0]
    assert "◌ NO LINK  84 s, 840 wait, 82 MB" in rows[0]
    text = "\n".join(rows)
    assert "nobody listens" in text
    assert "no link 84 s" in text
    assert "out of reach" in text  # the learner's figures are old
    if size != SMALL:
        assert "12 min to send" in text  # 82 MB at 112.5 kB/s, the best it has shown


@SIZES
async def test_why_nobody_answers_is_told_in_full_on_home(size: tuple[int, int]) -> None:
    state = linked(up(), down(reason=LONG))
    home = " ".join(" ".join(row.split()) for row in await drawn(Still(state), size, train=False))
    assert LONG in home


def test_a_reason_that_is_cut_shows_that() -> None:
    state = linked(up(), down(reason=LONG))

    def reason(height: int) -> str:
        rows = LinkPane().rows(View(state), 76, height)[1:]
        return " ".join("".join(part for part, _ in row) for row in rows)

    assert reason(2).startswith("nobody answers at 10.0.0.5:50051 (timed out)") and reason(2).endswith(" …")
    assert reason(8).startswith(LONG)


@SIZES
async def test_a_refusal_is_told_in_full_with_what_to_do(size: tuple[int, int]) -> None:
    state = linked(down(LinkState.REFUSED, REASON, backlog=0))
    rows = await drawn(Still(state), size)
    assert "✗ REFUSED" in rows[0]
    home = " ".join(" ".join(row.split()) for row in await drawn(Still(state), size, train=False))
    assert "✗ learner" in home
    assert "Use the same [policy]" in home and "section on both machines" in home


async def test_the_slow_link_shows_its_rate_and_how_the_backlog_grows() -> None:
    state = linked(*(up(backlog=100 + 12 * second) for second in range(5)))
    assert select.backlog_per_s(state) == pytest.approx(12.0)
    assert select.catches_up_s(state) is None
    text = "\n".join(await drawn(Still(state), SMALL))
    assert "link 0.9 Mbit/s, backlog 148 15 MB +12/s" in text


def test_what_shrinks_is_caught_up_in_as_long_as_it_takes_at_this_rate() -> None:
    state = linked(*(up(backlog=400 - 100 * second) for second in range(3)))
    assert select.catches_up_s(state) == pytest.approx(2.0)


def test_without_any_rate_nothing_is_promised() -> None:
    assert select.catches_up_s(linked(down())) is None
    assert select.catches_up_s(demo.training()) is None


@SIZES
async def test_a_policy_on_its_way_is_told(size: tuple[int, int]) -> None:
    rows = await drawn(Still(linked(up(policy_wanted=39))), size)
    assert any("policy" in row and "fetching 39" in row for row in rows)


def test_every_actor_has_its_row_and_the_silent_ones_come_first_where_room_is_short() -> None:
    state = linked(up())
    rows = ["".join(part for part, _ in row) for row in LinkPane().rows(View(state), 60, 6)]
    assert any("● arm" in row and "bench" in row and "12.3k records" in row for row in rows)
    assert any("◌ left" in row and "desk" in row and "silent 42 s" in row for row in rows)
    rows = ["".join(part for part, _ in row) for row in LinkPane().rows(View(state), 60, 3)]
    assert rows[-1].startswith("◌ left@desk 4.1k silent 42 s   ● arm@bench 12.3k")


@pytest.mark.parametrize("size", [SMALL, LARGE, HUGE, (108, 36), (300, 24)])
def test_the_link_has_its_own_place(size: tuple[int, int]) -> None:
    places = list(arrange(*size, also=("link",)).items())
    assert "link" in dict(places) and "link" not in arrange(*size)
    for number, (_, place) in enumerate(places):
        assert place.right <= size[0] and place.bottom <= size[1] - 1
        assert all(not place.overlaps(other) for _, other in places[number + 1 :])


async def test_a_learner_here_shows_no_link() -> None:
    text = "\n".join(await drawn(Still(demo.training()), SMALL))
    assert "net ●" not in text and "─link─" not in text
