"""What a cell takes, from its settings alone: threads, peak memory and time.

The thread count is a function of the cell and never of the machine, because XLA's matrix
products round differently under another count: a cell gives the same bits on any machine of
one processor type, alone or among others, with more cores or fewer.
"""

__all__ = [
    "kernel_memory_mb",
    "kernel_seconds",
    "kernel_threads",
    "network_memory_mb",
    "network_seconds",
    "network_threads",
]

#: Peak of a process that has imported and compiled everything, in MB.
_NETWORK_BASE, _KERNEL_BASE = 600, 500
_CLASSES = 10
#: Start, imports and compilation, and what follows them on a slow core, per second.
_START_SECONDS, _FLOPS = 5, 2e10
#: Below this width two cells of one thread each get more done than two threads in one.
_WIDE = 4096


def network_threads(width: int) -> int:
    """Threads of a network cell."""
    return 2 if width >= _WIDE else 1


def network_memory_mb(width: int, depth: int, size: int, pixels: int) -> int:
    """Upper bound on the peak memory of a network cell, MB.

    Parameters, their momenta, gradients and successors in float32, and the images as bytes,
    padded and copied.
    """
    parameters = _parameters(width, depth, pixels)
    return _NETWORK_BASE + (20 * parameters + 12 * size * pixels) // 10**6


def network_seconds(width: int, depth: int, size: int, pixels: int, epochs: int) -> float:
    """Estimate of a network cell's wall time, generous, seconds.

    Each parameter takes a product and a sum per image forward, and twice that backward.
    """
    flops = 6 * _parameters(width, depth, pixels) * size * epochs
    return _START_SECONDS + flops / (_FLOPS * network_threads(width))


def kernel_threads() -> int:
    """Threads of a kernel cell."""
    return 1


def kernel_memory_mb(size: int, test_size: int, kinds: int) -> int:
    """Upper bound on the peak memory of a kernel cell, MB.

    Both Gram matrices of each kernel, and five more matrices of the training-set size for the
    diagonalization, in float64.
    """
    return _KERNEL_BASE + 8 * ((kinds + 5) * size**2 + kinds * size * test_size) // 10**6


def kernel_seconds(size: int, test_size: int, kinds: int, depth: int, pixels: int) -> float:
    """Estimate of a kernel cell's wall time, generous, seconds.

    The Gram matrices, by inner products and then some hundred operations an entry and layer;
    and the diagonalization of each.
    """
    grams = size * (size + test_size) * (2 * pixels + 200 * depth)
    return _START_SECONDS + (grams + 10 * kinds * size**3) / _FLOPS


def _parameters(width: int, depth: int, pixels: int) -> int:
    return pixels * width + (depth - 1) * width**2 + _CLASSES * width
