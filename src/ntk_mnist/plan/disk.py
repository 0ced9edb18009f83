"""What the shards of a cell take on disk."""

from ntk_mnist.plan.cells import Cell, KernelCell, NetworkCell

__all__ = ["disk_bytes"]

#: Of a file, whose columns' descriptions take most of a small one; of a row; and of a number in
#: its lists, 4 bytes and the index of a dictionary.
_FILE, _ROW, _NUMBER = 23_000, 150, 6
#: Rows of a kernel's calibration.
_FRACTIONS = 20


def disk_bytes(cell: Cell) -> int:
    """About what the shards of a cell take on disk, bytes."""
    rows, numbers = 0, 0
    predicted = cell.inputs.test_size * cell.description.outputs
    if isinstance(cell, NetworkCell):
        seeds, times = len(cell.seeds), len(cell.times)
        rows = seeds * max(times, 1)
        numbers = seeds * (0 if times else cell.epochs)
        numbers += seeds * times * predicted * (1 + cell.training.linearized)
    if isinstance(cell, KernelCell):
        kinds, times = len(cell.solve.kinds), len(cell.solve.times) + 1
        rows = kinds * (times + _FRACTIONS)
        numbers = kinds * times * predicted * ("kernel_prediction" in cell.outputs)
    return len(cell.outputs) * _FILE + rows * _ROW + numbers * _NUMBER
