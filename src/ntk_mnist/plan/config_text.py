"""What people wrote, where YAML and Snakemake give something else: numbers and names of a config.

Snakemake reads the values of ``--config`` in ways of its own: ``experiment=2024_06`` as the number
202406, and the numbers in ``grid={size: [64]}`` as text. YAML reads ``1e7`` as text. Here numerals
become numbers where a number is expected, once and for all; what is not plain decimals stays
text, which ``plan.config`` refuses.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from ntk_mnist.declarations import declared
from ntk_mnist.settings import Config

__all__ = ["is_plain", "understood"]

# A zero before other digits makes a number octal in YAML, and underscores that do not part
# thousands are more likely a slip.
_PLAIN = re.compile(
    r"[+-]?(?:(?P<whole>0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)"
    r"(?P<point>\.[0-9]*)?|(?P<fraction>\.[0-9]+))(?P<exponent>[eE][+-]?[0-9]+)?",
)
# Python turns no longer text into a whole number.
_LONGEST = 4000


def is_plain(text: str) -> bool:
    """Whether a text is a number in plain decimals, which has one meaning."""
    return bool(_PLAIN.fullmatch(text))


def understood(
    config: Mapping[str, Any], parsed: Mapping[str, Any], arguments: Iterable[str]
) -> dict[str, Any]:
    """The config with its numbers as numbers, and its names as they were written.

    Args:
        config: as Snakemake gives it.
        parsed: what Snakemake made of ``--config``.
        arguments: the words of ``--config``, each ``key=value``.
    """
    written = dict(config)
    for argument in arguments:
        key, _, text = argument.partition("=")
        value = parsed.get(key)
        # Of a module, the config may be another.
        if isinstance(value, int | float) and repr(written.get(key)) == repr(value):
            written[key] = text
    return _with_numbers(Config, written)


def _with_numbers(group: type[Struct], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a group of settings, with numerals as numbers where a number is expected."""
    types = {setting.name: setting.type for setting in declared(group)}
    return {key: _with_number(types.get(key), value) for key, value in values.items()}


def _with_number(kind: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(kind, type) and issubclass(kind, Struct):
        return _with_numbers(kind, value)
    if kind is bool and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    if kind not in (int, float):
        return value
    if isinstance(value, list):
        return [_number(item, kind) for item in value]
    return _number(value, kind)


def _number(value: Any, kind: type[int] | type[float]) -> Any:
    """The number that a text is; the value itself if it is no text or no plain number."""
    found = _PLAIN.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    if not found:
        return value
    if found["whole"] and not (found["point"] or found["exponent"]):
        return int(value)
    number = float(value)
    return number if kind is float and math.isfinite(number) else value
