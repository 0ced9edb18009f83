"""A small dataset in MNIST's format."""

import gzip
import hashlib

import numpy as np
import pytest
from data.idx_files import Contents, idx

from ntk_mnist.data.catalogue import CATALOGUE, Description


@pytest.fixture
def tiny_mnist(monkeypatch: pytest.MonkeyPatch) -> Contents:
    """Replaces MNIST by 20 training and 8 test images of 3 × 2 pixels; its original files."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, high, shape)
        for high, shape in ((256, (20, 3, 2)), (10, (20,)), (256, (8, 3, 2)), (10, (8,)))
    ]
    names = [name for name, _ in CATALOGUE["mnist"].files]
    contents = {name: gzip.compress(idx(a)) for name, a in zip(names, arrays, strict=True)}
    files = tuple(
        (name, hashlib.sha256(gzip.decompress(content)).hexdigest())
        for name, content in contents.items()
    )
    monkeypatch.setitem(CATALOGUE, "mnist", Description("MNIST", files, 20, 8, (3, 2), 255))
    return contents
