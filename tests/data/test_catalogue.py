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


IDX = [name for name in SOURCES if CATALOGUE[name].format == "idx"]


@pytest.mark.parametrize("name", IDX)
def test_a_dataset_in_idx_files_has_one_for_each_array(name: str) -> None:
    files = CATALOGUE[name].files
    assert len(files) == len(ARRAYS)
    for (file, _), array in zip(files, ARRAYS, strict=True):
        assert ("train" in file, "images" in file) == ("train" in array, "images" in array)


@pytest.mark.parametrize("name", SOURCES)
def test_every_original_file_and_archive_has_a_checksum(name: str) -> None:
    description = CATALOGUE[name]
    archives = [description.archive] if description.archive[0] else []
    for _, sha256 in (*description.files, *archives):
        assert re.fullmatch("[0-9a-f]{64}", sha256)


def test_a_file_of_cifar_10_has_ten_thousand_records_of_3073_bytes() -> None:
    description = CATALOGUE["cifar10"]
    assert len(description.files) == 6
    assert {description.shape(part) for part in description.parts} == {(10_000, 3073)}


def test_no_two_files_have_the_same_checksum() -> None:
    checksums = [sha256 for _, sha256 in chain(*(d.files for d in CATALOGUE.values()))]
    assert len(set(checksums)) == len(checksums)


def test_pixels_are_the_length_of_a_flattened_image() -> None:
    assert {name: CATALOGUE[name].pixels for name in ("mnist", "digits")} == {
        "mnist": 784,
        "digits": 64,
    }
