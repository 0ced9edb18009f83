"""Cells packed into submissions: none too long, none of two kinds, each asking for its share."""

import math
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.batches import Batches

CELLS = st.lists(st.tuples(st.sampled_from("ab"), st.floats(1, 1000)), min_size=1, max_size=50)


@given(CELLS)
def test_a_batch_is_of_one_kind_and_no_longer_than_asked_unless_one_cell_is(
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
def test_shares_add_up_to_a_start_and_three_times_the_estimate(
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


def test_a_cell_keeps_its_place() -> None:
    batches = Batches(60)
    first = batches.place("first", "a", 50)
    batches.place("second", "a", 50)
    assert batches.place("first", "a", 50) == first


def test_small_cells_fill_a_batch() -> None:
    batches = Batches(600)
    assert {batches.place(i, "a", 5).batch for i in range(120)} == {0}
    assert batches.place(120, "a", 5).batch == 1
