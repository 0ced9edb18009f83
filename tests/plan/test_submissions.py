"""What cells request: shared submissions only where the profile asks for them."""

from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.plan.submissions import Submissions, memory_mb

CELLS = experiment_of({"inputs": {"dataset": "digits"}, "grid": {"size": [64, 128]}}).networks


def test_without_batches_a_cell_is_submitted_alone() -> None:
    submissions = Submissions(batch_minutes=10)
    assert {submissions.of(cell, batched=False).batch for cell in CELLS} == {None}


def test_small_cells_of_one_kind_share_a_submission_and_keep_their_place() -> None:
    submissions = Submissions(batch_minutes=10)
    first = [submissions.of(cell, batched=True) for cell in CELLS]
    assert len({submission.batch for submission in first}) < len(CELLS)
    assert [submissions.of(cell, batched=True) for cell in CELLS] == first
    assert sum(submission.minutes for submission in first) >= 5


def test_a_second_attempt_requests_twice_the_memory_and_a_batch_its_own_snakemakes() -> None:
    cell = CELLS[0]
    assert memory_mb(cell, batched=False) == cell.memory_mb
    assert memory_mb(cell, batched=True) > cell.memory_mb
    assert memory_mb(cell, batched=True, attempt=2) == 2 * memory_mb(cell, batched=True)
