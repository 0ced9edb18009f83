"""The argument ``--data``, and what is in that folder for all commands."""

import argparse
from pathlib import Path

__all__ = ["add_data_folder", "compiled_folder"]


def add_data_folder(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument(
        "--data", required=True, type=Path, help="folder of arrays, programs and checkpoints"
    )


def compiled_folder(options: argparse.Namespace) -> Path:
    """Where compiled programs are stored, and the script of the pages."""
    return Path(options.data) / "compiled"
