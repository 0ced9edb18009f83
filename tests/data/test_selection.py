"""Which training images are chosen."""

import numpy as np
import pytest

from ntk_mnist.data.catalogue import DatasetError
from ntk_mnist.data.selection import SELECTIONS

LABELS = np.random.default_rng(0).integers(0, 3, 90).astype(np.uint8)
BALANCED = ["first_of_each_class", "drawn_of_each_class"]


def test_the_first_images_are_those_in_file_order() -> None:
    np.testing.assert_array_equal(SELECTIONS["first"](LABELS, 5, 0), np.arange(5))


def test_of_each_class_the_first_images_are_chosen() -> None:
    chosen = SELECTIONS["first_of_each_class"](LABELS, 12, 0)
    by_hand = sorted(
        place for label in range(3) for place in [i for i, x in enumerate(LABELS) if x == label][:4]
    )
    assert chosen.tolist() == by_hand


@pytest.mark.parametrize("name", BALANCED)
@pytest.mark.parametrize(("size", "counts"), [(12, [4, 4, 4]), (13, [5, 4, 4]), (14, [5, 5, 4])])
def test_each_class_has_as_many_images_and_the_first_classes_what_is_left(
    name: str, size: int, counts: list[int]
) -> None:
    chosen = SELECTIONS[name](LABELS, size, 0)
    assert np.bincount(LABELS[chosen]).tolist() == counts
    assert (np.diff(chosen) > 0).all()


def test_a_draw_is_determined_by_its_number() -> None:
    draw = SELECTIONS["drawn_of_each_class"]
    np.testing.assert_array_equal(draw(LABELS, 30, 7), draw(LABELS, 30, 7))
    assert draw(LABELS, 30, 7).tolist() != draw(LABELS, 30, 8).tolist()


def test_draws_reach_every_image() -> None:
    chosen = [SELECTIONS["drawn_of_each_class"](LABELS, 30, draw) for draw in range(40)]
    assert set(np.concatenate(chosen)) == set(range(90))


@pytest.mark.parametrize("name", SELECTIONS)
def test_all_images_are_chosen_if_all_are_wanted_however_many_of_each_class(name: str) -> None:
    np.testing.assert_array_equal(SELECTIONS[name](LABELS, 90, 3), np.arange(90))


@pytest.mark.parametrize("name", BALANCED)
def test_a_class_with_too_few_images_is_named(name: str) -> None:
    labels = np.array([0] * 8 + [1] * 2, np.uint8)
    message = r"grid.size: 6 needs 3 images of each class, .*; class 1 has 2"
    with pytest.raises(DatasetError, match=message):
        SELECTIONS[name](labels, 6, 0)
