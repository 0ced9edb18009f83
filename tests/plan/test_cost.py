"""Estimates grow with the work, and threads depend on the cell alone.

That a process stays within its memory is measured in ``tests/workflow/test_faults.py``.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.plan import cost

networks = st.fixed_dictionaries(
    {
        "width": st.integers(1, 100_000),
        "depth": st.integers(1, 100),
        "size": st.integers(1, 60_000),
        "pixels": st.integers(1, 5000),
    }
)


@given(networks, st.sampled_from(["width", "depth", "size", "pixels"]))
def test_a_larger_network_cell_takes_no_less_memory(network: dict[str, Any], name: str) -> None:
    larger = network | {name: 2 * network[name]}
    for linearized in (False, True):
        memory, more = (
            cost.network_memory_mb(**cell, linearized=linearized)
            for cell in (network | {"batch": 64}, larger | {"batch": 64})
        )
        assert more >= memory
    batch = network | {"batch": 64}
    assert cost.network_memory_mb(**batch, adam=True) >= cost.network_memory_mb(**batch)
    with_all_images = cost.network_memory_mb(**network, batch=network["size"])
    linearized_too = cost.network_memory_mb(**network, batch=network["size"], linearized=True)
    assert linearized_too >= with_all_images


@given(networks, st.sampled_from(["depth", "size", "pixels", "epochs"]))
def test_a_longer_network_cell_takes_more_time(network: dict[str, Any], name: str) -> None:
    cell = network | {"epochs": 20}
    assert cost.network_seconds(**cell | {name: 2 * cell[name]}) > cost.network_seconds(**cell)


@given(st.integers(1, 60_000), st.integers(1, 10_000), st.integers(1, 2))
def test_a_kernel_takes_more_time_and_no_less_memory_for_more_images(
    size: int, test_size: int, kinds: int
) -> None:
    time, memory = cost.kernel_seconds, cost.kernel_memory_mb
    more_train = size + 100
    if cost.kernel_solver(size) == cost.kernel_solver(more_train):
        assert time(more_train, test_size, kinds, 2, 784) > time(size, test_size, kinds, 2, 784)
        assert memory(more_train, test_size, kinds, 784) >= memory(size, test_size, kinds, 784)
    assert time(size, test_size + 100, kinds, 2, 784) > time(size, test_size, kinds, 2, 784)
    assert memory(size, test_size + 100, kinds, 784) >= memory(size, test_size, kinds, 784)


@given(st.integers(1, 60_000), st.integers(1, 500), st.sampled_from(["relu", "sin", "tanh", "new"]))
def test_a_deeper_kernel_takes_more_time_and_relu_the_least(
    size: int, depth: int, activation: str
) -> None:
    deep, deeper, relu = (
        cost.kernel_seconds(size, 1000, 2, layers, 784, name)
        for layers, name in ((depth, activation), (2 * depth, activation), (depth, "relu"))
    )
    assert relu <= deep < deeper


def test_each_seed_adds_the_same_time_to_one_start() -> None:
    one, two, ten = (cost.network_seconds(512, 2, 1024, 784, 20, n) for n in (1, 2, 10))
    assert ten - one == pytest.approx(9 * (two - one))
    assert two < 2 * one


def test_the_largest_matrix_that_is_diagonalized_has_4096_rows() -> None:
    assert [cost.kernel_solver(size) for size in (1, 4096, 4097, 60_000)] == [
        "spectral",
        "spectral",
        "exact",
        "exact",
    ]


def test_a_spectral_solve_has_one_thread_and_an_exact_one_takes_the_whole_machine() -> None:
    assert cost.kernel_threads(4096) == cost.kernel_cluster_threads(4096) == 1
    assert cost.kernel_threads(4097) > 128
    assert cost.kernel_cluster_threads(4097) == 8


def test_only_a_wide_network_has_two_threads() -> None:
    assert [cost.network_threads(width) for width in (1, 2048, 4095, 4096, 10**5)] == [
        1,
        1,
        1,
        2,
        2,
    ]


def test_all_of_mnist_fits_a_machine_of_24_gigabytes() -> None:
    # The whole matrix would take 29 GB in float64.
    assert cost.kernel_memory_mb(60_000, 10_000, 2, 784) < 24_000
