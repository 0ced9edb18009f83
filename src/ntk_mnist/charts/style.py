"""How every chart looks: theme, palette and legends.

Series differ in lightness, so that they keep their order when printed in grey. The infinite-width
limit is a black dashed or dotted line. In the browser, a click on a legend entry highlights its
series.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import altair as alt

__all__ = ["SOLID", "Figure", "Series", "limit_dashes", "ramp", "size_series", "styled"]

Figure: TypeAlias = alt.HConcatChart | alt.VConcatChart

#: The dash pattern of finite widths and times.
SOLID = (1, 0)

_FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
# Viridis without its lightest end, which is hard to see on paper.
_RAMP = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#a5cf2f")
_LIMIT_DASHES = ((7, 3), (2, 2), (7, 3, 2, 3))


@dataclass(frozen=True)
class Series:
    """The lines of a chart and their legend.

    Attributes:
        field: the column that holds a row's label.
        title: of the legend.
        labels: in the order of the legend.
        colours: one for each label.
        dashes: one dash pattern for each label.
        columns: of the legend.
    """

    field: str
    title: str
    labels: Sequence[str]
    colours: Sequence[str]
    dashes: Sequence[Sequence[int]]
    columns: int

    @property
    def selection(self) -> alt.Parameter:
        """The selection that a click on the legend makes."""
        # The prefix avoids the names of Vega's own signals, such as `width`.
        return alt.selection_point(name=f"chosen_{self.field}", fields=[self.field], bind="legend")

    def encodings(self) -> dict[str, Any]:
        """Colour and dash; both have one domain, so that Vega draws one legend for both."""
        domain = list(self.labels)
        legend = alt.Legend(
            title=self.title,
            orient="bottom",
            columns=self.columns,
            symbolType="stroke",
            symbolSize=300,
            symbolOpacity=1,
            symbolLimit=0,
        )
        return {
            "color": alt.Color(
                f"{self.field}:N",
                sort=domain,
                legend=legend,
                scale=alt.Scale(domain=domain, range=list(self.colours)),
            ),
            "strokeDash": alt.StrokeDash(
                f"{self.field}:N",
                sort=domain,
                legend=legend,
                scale=alt.Scale(domain=domain, range=[list(dash) for dash in self.dashes]),
            ),
        }


def size_series(sizes: Iterable[int]) -> Series:
    """A line for each training-set size, labelled in the column ``size_label``."""
    labels = [str(size) for size in sorted(set(sizes))]
    return Series(
        "size_label",
        "Training-set size",
        labels,
        ramp(len(labels)),
        [SOLID] * len(labels),
        columns=6,
    )


def ramp(count: int) -> list[str]:
    """``count`` colours from dark to light, evenly spaced on the ramp."""
    stops = [tuple(int(stop[i : i + 2], 16) for i in (1, 3, 5)) for stop in _RAMP]
    colours = []
    for k in range(count):
        position = k * (len(stops) - 1) / max(count - 1, 1)
        low = min(int(position), len(stops) - 2)
        weight = position - low
        mixed = [
            round(a + (b - a) * weight) for a, b in zip(stops[low], stops[low + 1], strict=True)
        ]
        colours.append("#" + "".join(f"{channel:02x}" for channel in mixed))
    return colours


def limit_dashes(count: int) -> list[Sequence[int]]:
    """A dash pattern for the infinite-width limit of each of ``count`` kernels."""
    return [_LIMIT_DASHES[k % len(_LIMIT_DASHES)] for k in range(count)]


def styled(figure: Figure, title: str, subtitle: Sequence[str]) -> Figure:
    """The figure with its title, the lines of its subtitle, fonts and colours."""
    titled = figure.properties(title=alt.Title(title, subtitle=list(subtitle), offset=12))
    # One call for all, as Altair copies the whole figure in each.
    return titled.configure(
        font=_FONT,
        background="white",
        title=alt.TitleConfig(
            anchor="start", fontSize=14, subtitleFontSize=11.5, subtitleColor="#444"
        ),
        axis=alt.AxisConfig(
            labelFontSize=11,
            titleFontSize=12,
            titleFontWeight="normal",
            grid=True,
            gridColor="#e6e6e6",
        ),
        # Labels of different lengths take the same space, so that panels align in columns.
        axisY=alt.AxisConfig(minExtent=34),
        legend=alt.LegendConfig(labelFontSize=11, titleFontSize=11.5, titleFontWeight="normal"),
        view=alt.ViewConfig(stroke="#bbb"),
    )
