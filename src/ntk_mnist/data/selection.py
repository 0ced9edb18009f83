"""Which training images a cell uses, of those that are not held out; always in file order."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.data.catalogue import DatasetError

__all__ = ["SELECTIONS", "Selection"]

#: From labels of shape (n,), the number of images that are wanted and the number of a random draw,
#: the places of the images, in growing order.
Selection: TypeAlias = Callable[[NDArray[Any], int, int], NDArray[np.intp]]


def _first(labels: NDArray[Any], size: int, draw: int) -> NDArray[np.intp]:
    """The first images; the notebook's."""
    return np.arange(size)


def _first_of_each_class(labels: NDArray[Any], size: int, draw: int) -> NDArray[np.intp]:
    """Equal numbers of each class, the first of each."""
    return _of_each_class(labels, size, lambda members: members)


def _drawn_of_each_class(labels: NDArray[Any], size: int, draw: int) -> NDArray[np.intp]:
    """Equal numbers of each class, drawn at random without replacement."""
    # NumPy promises the numbers of this generator for ever.
    return _of_each_class(labels, size, np.random.RandomState(draw).permutation)


def _of_each_class(
    labels: NDArray[Any], size: int, order: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[np.intp]:
    """Equal numbers of each class, the first ones in some order; all images if all are wanted.

    If the size is not a multiple of the number of classes, the first classes have one more.

    Raises:
        DatasetError: a class has too few.
    """
    if size == len(labels):
        return np.arange(size)
    classes = np.unique(labels)
    chosen = []
    for place, label in enumerate(classes):
        members = np.flatnonzero(labels == label)
        count = size // len(classes) + (place < size % len(classes))
        if len(members) < count:
            raise DatasetError(
                f"grid.size: {size:,} needs {count:,} images of each class, as inputs.selection "
                f"takes equal numbers; class {label} has {len(members):,}"
            )
        chosen.append(order(members)[:count])
    return np.sort(np.concatenate(chosen))


#: Selections by their name in the config.
SELECTIONS: Mapping[str, Selection] = {
    "first": _first,
    "first_of_each_class": _first_of_each_class,
    "drawn_of_each_class": _drawn_of_each_class,
}
