"""What a cell takes, from its settings alone: threads and peak memory.

The thread count is a function of the cell and never of the machine, because XLA's matrix
products round differently under another count: a cell gives the same bits on any machine of
one processor type, alone or among others, with more cores or fewer.
"""

__all__ = ["kernel_memory_mb", "kernel_threads", "network_memory_mb", "network_threads"]

#: Peak of a process that has imported and compiled everything, in MB.
_NETWORK_BASE, _KERNEL_BASE = 600, 500
_CLASSES = 10
#: Below this width a matrix product is too small to be worth a second thread.
_WIDE = 1024


def network_threads(width: int) -> int:
    """Threads of a network cell."""
    return 2 if width >= _WIDE else 1


def network_memory_mb(width: int, depth: int, size: int, pixels: int) -> int:
    """Upper bound on the peak memory of a network cell, MB.

    Parameters, their momenta, gradients and successors in float32, and the images as bytes,
    padded and copied.
    """
    parameters = pixels * width + (depth - 1) * width**2 + _CLASSES * width
    return _NETWORK_BASE + (20 * parameters + 12 * size * pixels) // 10**6


def kernel_threads() -> int:
    """Threads of a kernel cell."""
    return 1


def kernel_memory_mb(size: int, test_size: int, kinds: int) -> int:
    """Upper bound on the peak memory of a kernel cell, MB.

    Both Gram matrices of each kernel, and five more matrices of the training-set size for the
    diagonalization, in float64.
    """
    return _KERNEL_BASE + 8 * ((kinds + 5) * size**2 + kinds * size * test_size) // 10**6
