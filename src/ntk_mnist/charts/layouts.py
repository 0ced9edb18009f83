"""Where panels go on a page: in two columns of a journal, or in one.

All type has one size in print, whatever the width of the page: a chart for a narrow page has fewer
and narrower panels beside each other, and not smaller type. A chart that opens in a browser and the
PNG and SVG files are laid out for two columns.
"""

import math
from typing import NamedTuple

__all__ = [
    "LAYOUTS",
    "ONE_COLUMN",
    "PIXELS_PER_INCH",
    "TWO_COLUMNS",
    "Grid",
    "Layout",
]

#: Of print: type of 11 pixels is printed at 6.9 points.
PIXELS_PER_INCH = 114.0

_MILLIMETRES_PER_INCH = 25.4
#: Left of the first panel of a line: the title of an axis and its labels.
_AXIS = 62.0
#: Left of any other panel, if it has labels of its own.
_OWN_AXIS = 58.0
#: Between panels that share the labels of the first.
_BETWEEN = 14.0
#: The narrowest small multiple.
_SMALLEST = 95.0
#: Of the whole page.
_MARGIN = 8.0


class Grid(NamedTuple):
    """Panels of one size, so many side by side.

    Attributes:
        across: panels in a line.
        width: of a panel, in pixels.
        height: of a panel, in pixels.
        beside: pixels right of each panel, for labels.
        spacing: pixels between panels.
    """

    across: int
    width: int
    height: int
    beside: float
    spacing: float

    def first(self, place: int) -> bool:
        """Whether the panel at a place, counted from 0, is the first of its line."""
        return place % self.across == 0


class Layout(NamedTuple):
    """A page.

    Attributes:
        millimetres: its width in print.
        panels: side by side, at most.
        stacked: so many panels are one above the other before they are side by side.
        height: of a panel, in pixels.
    """

    millimetres: float
    panels: int
    stacked: int
    height: int

    @property
    def width(self) -> float:
        """Of the page, in pixels."""
        return self.millimetres / _MILLIMETRES_PER_INCH * PIXELS_PER_INCH

    @property
    def points(self) -> float:
        """The width of the page in print, in points of 1/72 inch."""
        return self.millimetres / _MILLIMETRES_PER_INCH * 72

    def across(self, width: float, row: int) -> int:
        """How many panels of a width have room side by side, of those of a row; at least one."""
        return max(1, min(row, int((self.width - _MARGIN) / width)))

    def grid(
        self,
        row: int,
        rows: int = 1,
        beside: float = 0.0,
        *,
        own_axes: bool = False,
        square: bool = False,
        small: bool = False,
    ) -> Grid:
        """Panels that fill the width of the page.

        Args:
            row: panels of a row, which may have several lines.
            rows: how many rows there are.
            beside: pixels right of each panel, for labels.
            own_axes: whether each panel has an axis with labels, and not only the first of a line.
            square: whether panels are as high as wide.
            small: whether the panels are small multiples.
        """
        between = _OWN_AXIS if own_axes else _BETWEEN

        def width_of(across: int) -> float:
            room = self.width - _MARGIN - _AXIS - (across - 1) * between - across * beside
            return room / across

        if small:
            across = max(k for k in range(1, row + 1) if k == 1 or width_of(k) >= _SMALLEST)
        else:
            across = 1 if row * rows <= self.stacked else min(row, self.panels)
        # Lines of one row are about equally long.
        across = math.ceil(row / math.ceil(row / across))
        # One panel alone need not fill a wide page.
        width = math.floor(min(width_of(across), 1.6 * self.height))
        height = round(0.62 * self.height) if small else self.height
        return Grid(across, width, width if square else height, beside, between + beside)


TWO_COLUMNS = Layout(millimetres=178.0, panels=3, stacked=0, height=180)
ONE_COLUMN = Layout(millimetres=89.0, panels=2, stacked=3, height=150)

#: The layouts by the last part of the names of PDF files, before the ending.
LAYOUTS = {"": TWO_COLUMNS, "column": ONE_COLUMN}
