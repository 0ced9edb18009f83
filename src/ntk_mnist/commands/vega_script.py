"""The script that draws the charts of a page, made once for all pages."""

import argparse

from ntk_mnist.commands.data_folder import compiled_folder
from ntk_mnist.page.documents import vega
from ntk_mnist.store.kept_text import kept_text
from ntk_mnist.store.records import VEGA, digest_of, make_record

__all__ = ["vega_script"]


def vega_script(options: argparse.Namespace) -> str:
    """The script, from the data folder; to put it together takes longer than to draw a chart."""
    made = make_record({}, [VEGA], ["vl-convert-python"])
    digest = digest_of({part: str(made[part]) for part in made})
    return kept_text(compiled_folder(options) / f"vega-{digest}", vega)
