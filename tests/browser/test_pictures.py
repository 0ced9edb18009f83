"""Each chart and the page look as they did when a person last looked at them.

After a change that is meant, write new pictures with NTK_MNIST_NEW_PICTURES=1 and look at them.
"""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from browser.conftest import KINDS, figures_of, frames_of, open_page
from browser.pictures import difference
from PIL import Image, ImageDraw
from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

KNOWN = Path(__file__).parent / "known_pictures"
#: The largest fraction of pixels that may differ: fonts of another machine move some labels.
TOLERANCE = 0.015
CHARTS = [(kind, name) for kind in KINDS for name in figures_of(frames_of(kind), kind)]


def compare(taken: Path, known: Path) -> None:
    if os.environ.get("NTK_MNIST_NEW_PICTURES"):
        known.parent.mkdir(exist_ok=True)
        Image.open(taken).convert("L").quantize(16).save(known, optimize=True)
    assert known.exists(), f"{known.name} has no known picture"
    assert difference(known, taken) <= TOLERANCE


@pytest.mark.parametrize(("kind", "name"), CHARTS)
def test_a_chart_looks_as_it_did(
    browser: Browser, pages: dict[str, Path], tmp_path: Path, kind: str, name: str
) -> None:
    page = open_page(browser, pages[kind].parent / "figures" / f"{name}.html", width=900).page
    page.locator("svg.marks").screenshot(path=tmp_path / "taken.png")
    page.close()
    compare(tmp_path / "taken.png", KNOWN / f"{kind}-{name}.png")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_linked_charts_look_as_they_did(
    browser: Browser, pages: dict[str, Path], tmp_path: Path, kind: str, width: int, scheme: str
) -> None:
    page = open_page(browser, pages[kind], width=width, scheme=scheme).page
    page.locator(".views").screenshot(path=tmp_path / "taken.png")
    page.close()
    compare(tmp_path / "taken.png", KNOWN / f"{kind}-explore-{width}-{scheme}.png")


def test_a_line_that_is_missing_is_noticed(tmp_path: Path) -> None:
    with_line, without = tmp_path / "with.png", tmp_path / "without.png"
    picture = Image.new("RGB", (900, 400), "white")
    picture.save(without)
    ImageDraw.Draw(picture).line([(50, 350), (450, 100), (850, 50)], fill="#31688e", width=3)
    picture.save(with_line)
    assert difference(with_line, without) > TOLERANCE / 3


def test_a_chart_is_not_taken_for_another() -> None:
    known = sorted(KNOWN.glob("epochs-*.png"))
    for one, other in pairwise(known):
        assert difference(one, other) > TOLERANCE
