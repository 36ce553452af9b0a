"""Arrange: which pane lies where on a job's screen, for any size of terminal. Pure."""

from collections.abc import Collection

from textual.geometry import Region

CAMERAS = 2  # pictures side by side
BARS = 2  # rows of state bar and step bar
KEYS = 1  # rows of the key bar
ROOMY = (108, 36)  # cells from which pictures and panes share the screen
LINK, CLASSIFIER = "link", "classifier"  # panes of runs with a learner elsewhere, with a reward classifier


def is_compact(width: int, height: int) -> bool:
    return width < ROOMY[0] or height < ROOMY[1]


def arrange(width: int, height: int, *, pushed: int = 0, also: Collection[str] = ()) -> dict[str, Region]:
    """Places on Train by pane name; panes without a place are not shown. `also`: those that only some runs have.

    A state bar that grew by `pushed` rows moves everything down, and only the log pays for it.
    """
    body = _body(width, height)
    linked, judged = LINK in also, CLASSIFIER in also
    places = _compact(body, linked, judged) if is_compact(width, height) else _roomy(body, linked, judged)
    return _pushed(places, pushed)


def arrange_record(
    width: int, height: int, *, pushed: int = 0, also: Collection[str] = ()
) -> dict[str, Region]:
    """Places on Record: pictures and the list of episodes above all, the arm below, then the log.

    The classifier, if there is one, has a part of the arm's place.
    """
    body = _body(width, height)
    compact = is_compact(width, height)
    log = max(3 if compact else 6, body.height // 6)
    beside = max(30, body.width // 4) if not compact else (body.width - 1) // 2
    arm = min(12, max(7, (body.height - log) // 3))
    top = body.height - log - arm
    left = body.width - beside
    places = {
        "demos": Region(left, body.y, beside, top + arm),
        "log": Region(0, body.y + top + arm, body.width, log),
    }
    judged = CLASSIFIER in also
    if compact:
        below = {CLASSIFIER: 5} if judged else {}
        places |= _stack(0, body.y, left - 1, {"arm": top + arm - sum(below.values()), **below})
    else:
        half = left // CAMERAS
        places |= {f"camera{i}": Region(i * half, body.y, half, top) for i in range(CAMERAS)}
        places["arm"] = Region(0, body.y + top, half if judged else left, arm)
        if judged:
            places[CLASSIFIER] = Region(half, body.y + top, left - half, arm)
    return _pushed(places, pushed)


def arrange_evaluate(width: int, height: int, *, pushed: int = 0) -> dict[str, Region]:
    """Places on Evaluate: what it has come to above all, with the pictures beside it; then trials and older results."""
    body = _body(width, height)
    if is_compact(width, height):
        log = min(3, body.height)
        top = min(11, body.height - log)
        beside = min(34, body.width // 2)
        camera, left = 0, body.width
    else:
        log = max(6, body.height // 6)
        top = max(15, (body.height - log) // 2)
        camera = min(2 * (top - 2) + 2, (body.width - 64) // CAMERAS)
        left = body.width - CAMERAS * camera
        beside = max(48, CAMERAS * camera)
    middle, y = max(0, body.height - top - log), body.y + top
    places = {
        "tally": Region(0, body.y, left, top),
        "trials": Region(0, y, body.width - beside - 1, middle),
        "results": Region(body.width - beside, y, beside, middle),
        "log": Region(0, y + middle, body.width, log),
    }
    if camera:
        places |= {f"camera{i}": Region(left + i * camera, body.y, camera, top) for i in range(CAMERAS)}
    return _pushed(places, pushed)


def cameras_alone(width: int, height: int, pushed: int) -> dict[str, Region]:
    """The pictures on all of the screen."""
    body = _body(width, height)
    half, rows = width // CAMERAS, body.height - pushed
    return {f"camera{i}": Region(i * half, body.y + pushed, half, rows) for i in range(CAMERAS)}


def with_advice(places: dict[str, Region]) -> dict[str, Region]:
    """The same with a line of advice on top of the log, which pays for it: nothing else moves."""
    x, y, wide, high = places["log"]
    return places | {
        "advice": Region(x, y, wide, min(1, high)),
        "log": Region(x, y + 1, wide, max(0, high - 1)),
    }


def _body(width: int, height: int) -> Region:
    return Region(0, BARS, width, max(0, height - BARS - KEYS))


def _pushed(places: dict[str, Region], pushed: int) -> dict[str, Region]:
    x, y, wide, high = places["log"]
    places["log"] = Region(x, y, wide, max(0, high - pushed))
    return {name: place.translate((0, pushed)) for name, place in places.items()}


def _stack(x: int, y: int, width: int, rows: dict[str, int]) -> dict[str, Region]:
    """Panes on top of each other."""
    places: dict[str, Region] = {}
    for name, height in rows.items():
        places[name] = Region(x, y, width, height)
        y += height
    return places


def _compact(body: Region, linked: bool, judged: bool) -> dict[str, Region]:
    """Two columns and the log; rows beyond 24 go to the pictures of arm and success, and to the log.

    The link takes three rows, one of the pictures and two of the log; the classifier two of the log, and with a link
    one of them from the pictures.
    """
    more = max(0, (body.height - 21) // 2) - linked - (linked and judged)
    left = (body.width - 1) // 2
    right = body.width - left - 1
    columns = 16 + more
    below = {CLASSIFIER: 2 * judged, LINK: 3 * linked}
    wide = {
        name: place for name, place in _stack(0, body.y + columns, body.width, below).items() if place.height
    }
    above = columns + sum(below.values())
    return {
        **wide,
        **_stack(0, body.y, left, {"arm": 8 + more, "intervention": 3, "buffer": 5}),
        **_stack(left + 1, body.y, right, {"rewards": 6 + more, "learner": 4, "health": 6}),
        "log": Region(0, body.y + above, body.width, max(0, body.height - above)),
    }


def _roomy(body: Region, linked: bool, judged: bool) -> dict[str, Region]:
    """Pictures and arm on top, figures in the middle, log at the bottom, with the link beside it.

    The classifier has the last rows of the arm's place.
    """
    log = max(6, body.height // 6)
    middle = max(14, round((body.height - log) * 0.36))
    top = body.height - log - middle
    # A square picture: one pixel a column, two a row, and a border around it.
    camera = min(2 * (top - 2) + 2, (body.width - 44) // CAMERAS)
    places = {f"camera{i}": Region(i * camera, body.y, camera, top) for i in range(CAMERAS)}
    below = {CLASSIFIER: max(6, top // 3)} if judged else {}
    arm = {"arm": top - sum(below.values())}
    places |= _stack(CAMERAS * camera, body.y, body.width - CAMERAS * camera, arm | below)
    wide = body.width * 2 // 5
    narrow = (body.width - wide) // 2
    y = body.y + top
    places["rewards"] = Region(0, y, wide, middle)
    places |= _stack(wide, y, narrow, {"intervention": 6, "buffer": middle - 6})
    health = max(7, middle // 2)
    places |= _stack(
        wide + narrow, y, body.width - wide - narrow, {"health": health, "learner": middle - health}
    )
    beside = wide if linked else 0
    places["log"] = Region(0, y + middle, body.width - beside, log)
    if linked:
        places[LINK] = Region(body.width - beside, y + middle, beside, log)
    return places
