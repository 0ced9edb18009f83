"""HTML documents: what is text stays text, and nothing is loaded from elsewhere."""

import json
import re

from ntk_mnist.page.documents import chart_page

SPECIFICATION = {
    "usermeta": {"title": "A < B", "subtitle": ["one & two", "</script><b>"]},
    "data": {"values": [{"x": "</script><img src=x>", "y": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "x"}, "y": {"field": "y"}},
}


def embedded(html: str) -> object:
    (text,) = re.findall(r'<script type="application/json" id="specification">(.*?)</script>', html)
    return json.loads(text)


def test_the_specification_is_in_the_page_whatever_text_it_holds() -> None:
    assert embedded(chart_page(SPECIFICATION)) == SPECIFICATION


def test_titles_are_text() -> None:
    html = chart_page(SPECIFICATION)
    assert "<h1>A &lt; B</h1>" in html
    assert "one &amp; two" in html
    assert "<b>" not in html.partition("<main")[2].partition("</main>")[0]


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = re.sub(r"(?s)(<script[^>]*>).*?</script>", r"\1</script>", chart_page(SPECIFICATION))
    assert re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=", html) == []


def test_no_script_ends_early() -> None:
    html = chart_page(SPECIFICATION)
    assert html.count("<script") == html.count("</script>")
