"""Reading a chart's Vega-Lite specification."""

from typing import Any

import pandas as pd

from ntk_mnist.charts.style import Figure


def specification(figure: Figure) -> dict[str, Any]:
    """What a figure is drawn from; ``test_charts`` validates every chart, which takes as long."""
    written: dict[str, Any] = figure.to_dict(validate=False)
    return written


def found(spec: Any, key: str) -> list[Any]:
    """Every value of ``key`` anywhere in a specification."""
    inner = spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else []
    own = [spec[key]] if isinstance(spec, dict) and key in spec else []
    return own + [value for part in inner for value in found(part, key)]


def drawn(spec: dict[str, Any]) -> pd.DataFrame:
    """The rows of all panels, each dataset once, without the labels of lines."""
    tables = [pd.DataFrame(rows) for rows in spec["datasets"].values()]
    return pd.concat(table for table in tables if not _is_label(table))


def _is_label(table: pd.DataFrame) -> bool:
    return {"end", "place"} <= set(table) or list(table) == ["label"]


def panel_titles(spec: dict[str, Any]) -> list[str]:
    """The titles of panels, in reading order."""
    titles = [title for title in found(spec, "title") if isinstance(title, dict)]
    return [_joined(title["text"]) for title in titles if title.get("anchor") == "middle"]


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else " ".join(text)


def scaled(spec: Any, channel: str) -> list[Any]:
    """Every ``x`` or ``y`` that has a scale; labels are at the edge of a panel."""
    return [value for value in found(spec, channel) if isinstance(value, dict) and "scale" in value]


def line_ends(spec: dict[str, Any]) -> pd.DataFrame:
    """The labels at the ends of lines."""
    labels = [pd.DataFrame(rows) for rows in spec["datasets"].values()]
    return pd.concat([table for table in labels if {"end", "place"} <= set(table)] or labels[:0])


def rows(spec: dict[str, Any]) -> list[tuple[str, pd.DataFrame]]:
    """The heading and the data of each row of panels that has a heading."""
    pending = [spec]
    headed: list[tuple[str, pd.DataFrame]] = []
    while pending:
        part = pending.pop(0)
        pending += [*part.get("hconcat", []), *part.get("vconcat", [])]
        if part is not spec and "hconcat" in part and "title" in part:
            names = {data["name"] for data in found(part, "data")}
            tables = [pd.DataFrame(spec["datasets"][name]) for name in sorted(names)]
            data = pd.concat(table for table in tables if not _is_label(table))
            headed.append((_joined(part["title"]["text"]), data))
    return headed
