"""How wide text is, and where its lines break, before Vega draws it.

The widths are those of Liberation Sans, which are Helvetica's and Arial's too: every machine has
one of the three, and vl-convert, which draws the files, brings the first.
"""

from itertools import pairwise

__all__ = ["FONT", "title_lines", "width_of", "wrapped"]

#: The first one that a machine has.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

#: Characters by their width, in thousandths of the size of the type.
_WIDTHS = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[\\]ft·",
    333: "()-`r²",
    355: '"',
    389: "*",
    469: "^",
    500: "Jcksvxyz",
    556: "#$0123456789?L_abdeghnopqu",
    584: "+<=>~±−×",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1000: "…",
    1015: "@",
}
_WIDTH = {character: width for width, every in _WIDTHS.items() for character in every}
# Of a character that is not listed: wider than most.
_OTHER = 740
_BOLD = 1.08


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a line of text in pixels.

    Args:
        text: one line.
        size: of the type, in pixels.
        bold: whether it is bold; then the width is an upper estimate.
    """
    width = sum(_WIDTH.get(character, _OTHER) for character in text) * size / 1000
    return width * _BOLD if bold else width


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """The text in lines that are no wider than ``width`` pixels, if no single word is.

    Args:
        text: words.
        width: that lines may have, in pixels.
        size: of the type, in pixels.
        bold: whether it is bold.
    """
    words = text.split(" ")
    starts = [0]
    for end in range(1, len(words) + 1):
        if end - starts[-1] > 1 and (
            width_of(" ".join(words[starts[-1] : end]), size, bold=bold) > width
        ):
            starts.append(end - 1)
    return [" ".join(words[a:b]) for a, b in pairwise([*starts, len(words)])]


def title_lines(text: str, width: float, size: float, *, bold: bool = False) -> str | list[str]:
    """As :func:`wrapped`, as a title has it: the text itself if it is one line."""
    lines = wrapped(text, width, size, bold=bold)
    return lines if len(lines) > 1 else text
