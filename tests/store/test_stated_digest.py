"""A file states its own SHA-256, and no other file passes for it."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.store.stated_digest import PLACE, state_digest, stated_digest

CONTENT = b"before " + PLACE.encode() + b" after"
STATED = state_digest(CONTENT)


def test_the_digest_is_that_of_the_file_with_zeros_in_its_place() -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert stated_digest(STATED) == digest
    assert b"before sha256:" + digest.encode() + b" after" == STATED


def test_every_flipped_bit_is_found() -> None:
    for i in range(8 * len(STATED)):
        changed = bytearray(STATED)
        changed[i // 8] ^= 1 << i % 8
        with pytest.raises(ValueError, match="checksum"):
            stated_digest(bytes(changed))


@given(st.binary(max_size=50), st.integers(0, len(STATED)), st.integers(0, len(STATED)))
def test_no_replaced_part_passes(inserted: bytes, start: int, end: int) -> None:
    changed = STATED[:start] + inserted + STATED[max(start, end) :]
    if changed == STATED:
        return
    with pytest.raises(ValueError, match="checksum"):
        stated_digest(changed)


@pytest.mark.parametrize(
    "change", [lambda c: c.replace(PLACE.encode(), b""), lambda c: c * 2, lambda c: STATED]
)
def test_a_file_has_exactly_one_empty_place_for_its_digest(
    change: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(ValueError, match="exactly one place"):
        state_digest(change(CONTENT))
