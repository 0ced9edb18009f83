"""Datasets of a user's own, made up for tests."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

#: Arrays by the names that they have in a file.
Arrays: TypeAlias = dict[str, Any]


def classified(train: int = 60, test: int = 20, outputs: int = 3) -> Arrays:
    """Images of 4 × 3 pixels, whose class is that of the brightest column."""
    images = np.random.default_rng(0).integers(0, 256, (train + test, 4, outputs), np.uint8)
    classes = images.sum(axis=1, dtype=int).argmax(axis=1)
    return {
        **{"x_train": images[:train], "y_train": classes[:train]},
        **{"x_test": images[train:], "y_test": classes[train:]},
    }


def real_valued(train: int = 60, test: int = 20, outputs: int = 2) -> Arrays:
    """Seven features, and smooth functions of them."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(train + test, 7))
    targets = np.tanh(features @ rng.normal(size=(7, outputs))) + 3
    return {
        **{"x_train": features[:train], "y_train": targets[:train]},
        **{"x_test": features[train:], "y_test": targets[train:]},
    }


def as_archive(file: Path, arrays: Arrays) -> str:
    """Write an ``.npz`` file, and return its path."""
    np.savez(file, **arrays)
    return str(file)


def as_folder(folder: Path, arrays: Arrays) -> str:
    """Write ``.npy`` files into a folder, and return its path."""
    folder.mkdir()
    for name, array in arrays.items():
        np.save(folder / name, array)
    return str(folder)
