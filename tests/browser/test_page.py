"""The page of an experiment and the pages of its charts, as a person uses them in a browser."""

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.conftest import KINDS, figures_of, frames_of, open_page
from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

ALONE = [(kind, name) for kind in KINDS for name in figures_of(frames_of(kind), kind)]


def alone(pages: dict[str, Path], kind: str, name: str) -> Path:
    return pages[kind].parent / "figures" / f"{name}.html"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_draws_every_chart_without_a_message_or_a_request(
    browser: Browser, pages: dict[str, Path], kind: str
) -> None:
    opened = open_page(browser, pages[kind])
    charts = opened.page.locator("[data-chart], [data-view]").count()
    assert (
        charts == opened.page.locator("[data-chart] svg.marks, [data-view] svg.marks").count() >= 6
    )
    assert opened.messages == []
    assert opened.requests == [pages[kind].as_uri()]
    opened.page.close()


@pytest.mark.parametrize(("kind", "name"), ALONE)
def test_a_chart_alone_opens_without_a_message_or_a_request(
    browser: Browser, pages: dict[str, Path], kind: str, name: str
) -> None:
    file = alone(pages, kind, name)
    opened = open_page(browser, file)
    assert opened.page.locator("svg.marks").count() == 1
    assert opened.page.locator("h1").inner_text()
    assert opened.messages == []
    assert opened.requests == [file.as_uri()]
    opened.page.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_smaller_than_4_MB(pages: dict[str, Path], kind: str) -> None:
    assert pages[kind].stat().st_size < 4e6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_a_page_fits_the_window(
    browser: Browser, pages: dict[str, Path], kind: str, width: int
) -> None:
    opened = open_page(browser, pages[kind], width=width)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    # Text of charts keeps its size: no chart is scaled down to fit.
    scaled = opened.page.evaluate(
        """[...document.querySelectorAll('.chart svg.marks')].map(
            (svg) => svg.getBoundingClientRect().width / Number(svg.getAttribute('width')))"""
    )
    assert min(scaled) > 0.85
    opened.page.close()


@pytest.mark.parametrize(("kind", "name"), ALONE)
def test_a_chart_alone_takes_the_width_of_the_window(
    browser: Browser, pages: dict[str, Path], kind: str, name: str
) -> None:
    widths = {}
    for width in (390, 1280):
        opened = open_page(browser, alone(pages, kind, name), width=width)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        widths[width] = opened.page.locator("svg.marks").bounding_box()["width"]  # type: ignore[index]
        opened.page.close()
    assert widths[1280] > 1.3 * widths[390]


@pytest.mark.parametrize("kind", KINDS)
def test_a_choice_changes_every_chart_that_depends_on_it_and_the_words(
    browser: Browser, pages: dict[str, Path], kind: str
) -> None:
    opened = open_page(browser, pages[kind])
    page = opened.page

    def shown() -> list[str]:
        return page.eval_on_selector_all(
            "[data-view] svg.marks", "(all) => all.map((s) => s.innerHTML)"
        )

    before, words = shown(), page.locator("#chosen").inner_text()
    page.get_by_label("Width", exact=True).select_option("64")
    page.wait_for_function("(document.documentElement.dataset.chosen || '').includes(':64')")
    after = shown()
    assert [i for i, old in enumerate(before) if old == after[i]] == []
    assert page.locator("#chosen").inner_text() != words
    page.get_by_label("Training-set size", exact=True).select_option("128")
    page.wait_for_function("document.documentElement.dataset.chosen.includes(':128')")
    assert [i for i, old in enumerate(after) if old == shown()[i]] == []
    page.get_by_label("Architecture", exact=True).select_option("1")
    page.wait_for_function("document.documentElement.dataset.chosen.includes('\"architecture\":1')")
    assert opened.messages == []
    page.close()


def test_a_click_on_a_point_chooses_its_width(browser: Browser, pages: dict[str, Path]) -> None:
    opened = open_page(browser, pages["epochs"])
    page = opened.page
    widths = page.get_by_label("Width", exact=True)
    assert widths.input_value() == "1024"
    # The second chart is the gap against width; its first point is of the smallest width.
    page.locator("[data-view='1'] svg .mark-symbol path").first.click(force=True)
    page.wait_for_function("(document.documentElement.dataset.chosen || '').includes(':64')")
    assert widths.input_value() == "64"
    page.close()


def test_the_words_tell_what_the_tables_hold(browser: Browser, pages: dict[str, Path]) -> None:
    networks = frames_of("epochs")["network"]
    own = networks[(networks["width"] == 1024) & (networks["size"] == 3000)]
    # The first of both architectures.
    first = own[own["activation"] == "erf"]["test_accuracy"].mean()
    opened = open_page(browser, pages["epochs"])
    said = opened.page.locator("#chosen").inner_text()
    assert said.startswith("erf, depth 2, W_std 1, width 1,024, training-set size 3,000. ")
    assert f"Test accuracy at t = ∞: networks {first:.3f} (95 % interval " in said
    assert "3 seeds" in said
    opened.page.close()


def test_the_choices_work_by_keyboard_alone(browser: Browser, pages: dict[str, Path]) -> None:
    page = open_page(browser, pages["epochs"]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.choice") == "width":
            break
    page.keyboard.press("Home")
    page.wait_for_function("(document.documentElement.dataset.chosen || '').includes(':64')")
    page.close()


def test_networks_and_limits_are_told_at_the_same_time(
    browser: Browser, pages: dict[str, Path]
) -> None:
    kernels = frames_of("like_for_like")["kernel"]
    own = kernels[(kernels["size"] == 3000) & (kernels["activation"] == "erf")]
    at_the_end = own[own["time"] == 200.0].set_index("kernel")["test_accuracy"]
    page = open_page(browser, pages["like_for_like"]).page
    said = page.locator("#chosen").inner_text()
    assert "Test accuracy at t = 2e2: networks " in said
    assert f"∞ (NNGP) {at_the_end['nngp']:.3f}; ∞ (NTK) {at_the_end['ntk']:.3f}." in said
    page.close()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_download_is_the_table(browser: Browser, pages: dict[str, Path], ending: str) -> None:
    page = open_page(browser, pages["epochs"]).page
    with page.expect_download() as started:
        page.locator(f"[data-name='network.{ending}']").click()
    stored = started.value.path().read_bytes()
    file = pages["epochs"].parent / "network.parquet"
    if ending == "parquet":
        assert stored == file.read_bytes()
    else:
        rows = list(csv.DictReader(io.StringIO(stored.decode())))
        expected = pq.ParquetFile(file).read()
        assert [float(row["test_accuracy"]) for row in rows] == (
            expected["test_accuracy"].to_pylist()
        )
        assert list(rows[0]) == expected.column_names
    page.close()


def test_the_theme_follows_the_system_and_the_button(
    browser: Browser, pages: dict[str, Path]
) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        page = open_page(browser, pages["epochs"], scheme=scheme).page
        background = "getComputedStyle(document.body).backgroundColor"
        colours[scheme] = page.evaluate(background)
        button = page.locator("#theme")
        button.click()
        assert button.inner_text() == "Theme: light"
        assert page.evaluate(background) == "rgb(255, 255, 255)"
        button.click()
        assert page.evaluate(background) == "rgb(20, 23, 27)"
        page.close()
    assert colours == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_serious_violation(
    browser: Browser, pages: dict[str, Path], kind: str, scheme: str
) -> None:
    page = open_page(browser, pages[kind], scheme=scheme).page
    for details in page.locator("details").all():
        details.evaluate("(element) => { element.open = true; }")
    found = Axe().run(page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in serious] == []
    page.close()


def test_axe_finds_no_serious_violation_in_a_chart_alone(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page = open_page(browser, alone(pages, "epochs", "comparison")).page
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    page.close()


def test_a_page_prints_on_A4_in_light_colours(browser: Browser, pages: dict[str, Path]) -> None:
    opened = open_page(browser, pages["epochs"], width=760, scheme="dark", media="print")
    page = opened.page
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    # 210 × 297 mm in points.
    assert b"/MediaBox [0 0 594.95" in printed or b"/MediaBox [0 0 595" in printed
    page.close()


def test_text_of_a_user_is_text(browser: Browser, pages: dict[str, Path]) -> None:
    page = open_page(browser, pages["epochs"]).page
    assert page.locator("#provenance pre").inner_text() == (
        "snakemake --configfile 'my <file>.yaml'"
    )
    page.close()
