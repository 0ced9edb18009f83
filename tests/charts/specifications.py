"""Reading a chart's Vega-Lite specification."""

from typing import Any

import pandas as pd


def found(spec: Any, key: str) -> list[Any]:
    """Every value of ``key`` anywhere in a specification."""
    inner = spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else []
    own = [spec[key]] if isinstance(spec, dict) and key in spec else []
    return own + [value for part in inner for value in found(part, key)]


def drawn(spec: dict[str, Any]) -> pd.DataFrame:
    """The rows of all panels, each dataset once."""
    return pd.concat(pd.DataFrame(rows) for rows in spec["datasets"].values())


def panel_titles(spec: dict[str, Any]) -> list[str]:
    """The titles of panels, in reading order."""
    titles = [title for title in found(spec, "title") if isinstance(title, dict)]
    return [title["text"] for title in titles if title.get("anchor") == "middle"]


def rows(spec: dict[str, Any]) -> list[tuple[str, pd.DataFrame]]:
    """The heading and the data of each row of panels that has a heading."""
    pending = [spec]
    headed: list[tuple[str, pd.DataFrame]] = []
    while pending:
        part = pending.pop(0)
        pending += [*part.get("hconcat", []), *part.get("vconcat", [])]
        if part is not spec and "hconcat" in part and "title" in part:
            names = {data["name"] for data in found(part, "data")}
            data = pd.concat(pd.DataFrame(spec["datasets"][name]) for name in sorted(names))
            headed.append((part["title"]["text"], data))
    return headed
