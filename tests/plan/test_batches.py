"""Batches of cells: none is too long, none mixes kinds, and each requests the time of its cells."""

import math
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.plan.batches import Batches

CELLS = st.lists(st.tuples(st.sampled_from("ab"), st.floats(1, 1000)), min_size=1, max_size=50)


@given(CELLS)
def test_a_batch_has_one_kind_and_is_longer_than_the_limit_only_if_it_is_a_single_cell(
    cells: list[tuple[str, float]],
) -> None:
    batches = Batches(600)
    members = defaultdict(list)
    for i, (kind, seconds) in enumerate(cells):
        members[batches.place(i, kind, seconds).batch].append((kind, seconds))
    for batch in members.values():
        assert len({kind for kind, _ in batch}) == 1
        assert len(batch) == 1 or sum(seconds for _, seconds in batch) <= 600


@given(CELLS)
def test_the_shares_of_a_batch_add_up_to_a_start_and_three_times_the_estimate(
    cells: list[tuple[str, float]],
) -> None:
    batches = Batches(600)
    work: defaultdict[int, float] = defaultdict(float)
    minutes: defaultdict[int, int] = defaultdict(int)
    for i, (kind, seconds) in enumerate(cells):
        place = batches.place(i, kind, seconds)
        work[place.batch] += seconds
        minutes[place.batch] += place.minutes
    assert minutes == {batch: 5 + math.ceil(3 * seconds / 60) for batch, seconds in work.items()}


def test_a_cell_has_the_same_place_whenever_it_is_placed() -> None:
    batches = Batches(60)
    first = batches.place("first", "a", 50)
    batches.place("second", "a", 50)
    assert batches.place("first", "a", 50) == first


def test_small_cells_fill_a_batch_before_the_next_one_begins() -> None:
    batches = Batches(600)
    assert {batches.place(i, "a", 5).batch for i in range(120)} == {0}
    assert batches.place(120, "a", 5).batch == 1
