"""What the catalogue of datasets promises to the commands that read it."""

import re
from itertools import chain

import pytest

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, SOURCES


def test_every_dataset_with_original_files_has_sources_and_no_other_has() -> None:
    assert list(SOURCES) == [name for name in CATALOGUE if CATALOGUE[name].files]


@pytest.mark.parametrize("name", SOURCES)
def test_a_folder_of_ones_own_is_tried_before_any_network(name: str) -> None:
    assert SOURCES[name][0] == f"data/{name}"
    addresses = ["://" in source for source in SOURCES[name]]
    assert addresses == sorted(addresses)
    assert any(addresses)


@pytest.mark.parametrize("name", SOURCES)
def test_a_dataset_has_one_file_with_a_checksum_for_each_array(name: str) -> None:
    files = CATALOGUE[name].files
    assert len(files) == len(ARRAYS)
    for (file, sha256), array in zip(files, ARRAYS, strict=True):
        assert ("train" in file, "images" in file) == ("train" in array, "images" in array)
        assert re.fullmatch("[0-9a-f]{64}", sha256)


def test_no_two_files_have_the_same_checksum() -> None:
    checksums = [sha256 for _, sha256 in chain(*(d.files for d in CATALOGUE.values()))]
    assert len(set(checksums)) == len(checksums)


def test_pixels_are_the_length_of_a_flattened_image() -> None:
    assert {name: CATALOGUE[name].pixels for name in ("mnist", "digits")} == {
        "mnist": 784,
        "digits": 64,
    }
