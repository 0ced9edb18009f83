"""HTML documents: what is text stays text, and nothing is loaded from elsewhere."""

import json
import re
from typing import Any

from ntk_mnist.page.documents import chart_page

SPECIFICATION: dict[str, Any] = {
    "usermeta": {"title": "A < B", "subtitle": ["one & two", "</script><b>"]},
    "data": {"name": "points"},
    "datasets": {"points": [{"x": "</script><img src=x>", "y": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "x"}, "y": {"field": "y"}},
}
SCRIPT = "document.write('</script>')"


def embedded(html: str) -> Any:
    (text,) = re.findall(r'<script type="application/json" id="specification">(.*?)</script>', html)
    return json.loads(text)


def test_the_specification_is_in_the_page_whatever_text_it_holds() -> None:
    found = embedded(chart_page([SPECIFICATION], {}, SCRIPT))
    assert found["datasets"] == SPECIFICATION["datasets"]
    assert found["layouts"] == [{k: v for k, v in SPECIFICATION.items() if k != "datasets"}]


def test_rows_that_several_layouts_draw_are_in_the_page_once() -> None:
    html = chart_page([SPECIFICATION, SPECIFICATION], {}, SCRIPT)
    assert len(embedded(html)["layouts"]) == 2
    assert html.count("img src=x") == 1


def test_titles_are_text() -> None:
    html = chart_page([SPECIFICATION], {}, SCRIPT)
    assert "<h1>A &lt; B</h1>" in html
    assert "one &amp; two" in html
    assert "<b>" not in html.partition("<main")[2].partition("</main>")[0]


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = re.sub(
        r"(?s)(<script[^>]*>).*?</script>", r"\1</script>", chart_page([SPECIFICATION], {}, SCRIPT)
    )
    assert re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=", html) == []


def test_no_script_ends_early() -> None:
    html = chart_page([SPECIFICATION], {}, SCRIPT)
    assert html.count("<script") == html.count("</script>")
