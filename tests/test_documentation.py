"""The pages of the documentation are listed, and their links lead somewhere."""

import re
from pathlib import Path

import pytest
from checkout import REPOSITORY

DOCS = REPOSITORY / "docs"


def test_every_page_is_listed() -> None:
    listed = set(re.findall(r"\]\(([\w./]+\.md)\)", (DOCS / "README.md").read_text()))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert pages - listed == {"README.md"}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        path, _, place = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        titles = re.findall(r"^#+ (.*)$", target.read_text(), re.M) if place else []
        anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
        assert not place or place in anchors, link
