"""The page: whole, by itself, and no more sure than the trials are."""

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from tests.evaluation.made import NEW, paired, result, trial
from workers.actor.trial import png
from workers.evaluation.report import THUMBNAIL_PX, report
from workers.model.evaluation import Result

PICTURES = {"front": ("f.png", "l.png")}


def parsed(page: str) -> ElementTree.Element:
    """The page as the tree it is: every tag is closed, every character escaped."""
    return ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))


def text(page: str) -> str:
    return " ".join("".join(parsed(page).itertext()).split())


MADE = {
    "empty": result(),
    "empty pair": result(against=True),
    "one": result(
        trial(0), trial(1, False), trial(2, counted=False, ended_by="stop", why="a <hand> & an arm")
    ),
    "all failed": result(trial(0, False), trial(1, False)),
    "pair": result(*paired("1101", "0101"), against=True, complete=True, ended="8 of 8 trials"),
    "odd names": result(trial(0), run='<script>"&', contestants=(NEW,), task="a&b"),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE.keys())
def test_every_report_is_well_formed_and_needs_nothing_beside_it(made: Result, tmp_path: Path) -> None:
    page = report(made, tmp_path)
    tree = parsed(page)
    assert not list(tree.iter("script")) and not list(tree.iter("link")) and not list(tree.iter("iframe"))
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value.startswith("data:image/")
    style = "".join(element.text or "" for element in tree.iter("style"))
    assert "url(" not in style and "@import" not in style
    assert not re.search(r"https?://", page)


def test_the_summary_gives_interval_and_digest(tmp_path: Path) -> None:
    page = text(report(MADE["one"], tmp_path))
    assert "1 of 2 = 50 % (95 % interval 9 to 91 %)" in page
    assert "1f0c34ab9d77" in page and "success (task) 1, time limit 1" in page
    assert "not counted: a <hand> & an arm" in page
    assert (
        "1 of" not in text(report(MADE["empty"], tmp_path)).partition("Summary")[2].partition("Policies")[0]
    )


def test_a_pair_is_compared_and_the_doubt_is_said(tmp_path: Path) -> None:
    page = text(report(MADE["pair"], tmp_path))
    assert "not enough trials to tell them apart" in page and "Newcombe 1998" in page
    assert "Both succeeded in 2 pairs, only A in 1, only B in 0, neither in 1" in page
    assert "A minus B" not in text(report(MADE["one"], tmp_path))


def test_the_interval_is_drawn_where_it_is(tmp_path: Path) -> None:
    tree = parsed(report(result(*[trial(n, n > 0) for n in range(10)]), tmp_path))
    plot = next(iter(tree.iter("svg")))
    at = {
        tick.text: float(tick.attrib["x"])
        for tick in plot.iter("text")
        if tick.attrib["text-anchor"] == "middle"
    }
    per_one = at["100 %"] - at["0 %"]
    (bar,) = [line for line in plot.iter("line") if line.attrib.get("stroke-width") == "7"]
    (dot,) = plot.iter("circle")
    drawn = [(float(x) - at["0 %"]) / per_one for x in (bar.attrib["x1"], dot.attrib["cx"], bar.attrib["x2"])]
    assert drawn == pytest.approx([0.596, 0.9, 0.982], abs=1e-3)


def test_thumbnails_are_small_copies_inside_the_page(tmp_path: Path) -> None:
    for name, colour in (("f.png", (200, 30, 20)), ("l.png", (20, 30, 200))):
        (tmp_path / name).write_bytes(png(np.full((240, 320, 3), colour, np.uint8)))
    page = report(
        result(trial(0, pictures=PICTURES), trial(1, pictures={"front": ("gone.png",) * 2})), tmp_path
    )
    images = list(parsed(page).iter("img"))
    assert len(images) == 2, "a picture that is not there is left out"
    data = base64.b64decode(images[0].attrib["src"].partition("base64,")[2])
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert max(seen.shape[:2]) == THUMBNAIL_PX
    assert np.abs(seen.mean((0, 1)) - (20, 30, 200)).max() < 5, "blue, green, red: the first picture is red"
