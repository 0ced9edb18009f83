"""What a cell takes, from its settings alone: threads, peak memory and time.

The thread count is a function of the cell and not of the machine, because XLA's matrix products
round differently under another count: a cell gives the same bits on every machine of one processor
type, alone or beside other cells, with more cores or fewer. Only an exact kernel solve takes all
cores, as it is refined to a residual whatever the rounding.
"""

__all__ = [
    "LARGEST_DIAGONALIZED",
    "START_SECONDS",
    "kernel_cluster_threads",
    "kernel_memory_mb",
    "kernel_seconds",
    "kernel_solver",
    "kernel_threads",
    "largest_batch",
    "network_memory_mb",
    "network_seconds",
    "network_threads",
]

#: Peak of a process that has imported and compiled everything, in MB.
_NETWORK_BASE, _KERNEL_BASE = 600, 500
#: Start, imports and compilation; and the rate of what follows on a slow core, per second.
START_SECONDS, _FLOPS = 5, 2e10
#: How much faster a float32 product is than _FLOPS; operations of an exact solve for each entry
#: that it computes, beside those of the kernel; its seconds for compilation and small matrices.
_FLOAT32_GAIN, _EXACT_ENTRY, _EXACT_SECONDS = 4, 1000, 20
#: Operations that a kernel's entry takes in one layer, by activation; of another, the most. For
#: a series, they are those at the largest variances that it knows.
_CLOSED_FORMS = {"relu": 300, "abs": 300, "erf": 1000, "gelu": 1000, "sin": 2500}
_SERIES = {"tanh": 12000, "sigmoid": 12000, "softplus": 24000, "silu": 24000}
_ENTRY = _CLOSED_FORMS | _SERIES
#: The fewest columns that are computed of a row of a Gram matrix: those of a tile.
_TILE_COLUMNS = 1024
#: Of one layer in one training step, however small it is.
_LAYER_SECONDS = 5e-5
#: Of a training-set size; a larger one is solved exactly.
LARGEST_DIAGONALIZED = 4096
#: More than a machine has, so that an exact solve runs alone there: two might not fit.
_EXACT_THREADS, _EXACT_CLUSTER_THREADS = 256, 8
#: Rows of an exact solve's tile, and the bytes that computing one takes.
_TILE, _TEMPORARY = 1024, 4 * 10**8
_COLUMNS = 2000
#: Training images are padded to as many, or to less than four times their number.
_PADDED = 4096
#: Below this width, two cells of one thread each get more done than one cell of two threads.
_WIDE = 4096


def network_threads(width: int) -> int:
    """Threads of a network cell."""
    return 2 if width >= _WIDE else 1


def largest_batch(size: int) -> int:
    """The most images of a step, with padding, at a training-set size."""
    return max(_PADDED, 4 * size)


def network_memory_mb(
    width: int,
    depth: int,
    size: int,
    pixels: int,
    batch: int,
    *,
    outputs: int = 10,
    pixel_bytes: int = 1,
    adam: bool = False,
    linearized: bool = False,
) -> int:
    """Upper bound on the peak memory of a network cell, MB.

    Parameters, their momenta, gradients and successors in float32, two moments instead of one
    under Adam, and as much and the initial ones for a linearization; the layers of the images of a
    step and their derivatives; and the images as they are stored, padded and copied.

    Args:
        width: units of each hidden layer.
        depth: number of hidden layers.
        size: training images.
        pixels: of an image.
        batch: images of a step.
        outputs: of the network.
        pixel_bytes: of a stored pixel.
        adam: whether the optimizer is Adam.
        linearized: whether the linearization is trained too.
    """
    parameters = _parameters(width, depth, pixels, outputs)
    of_parameters = (44 if linearized else 28 if adam else 20) * parameters
    of_layers = (24 if linearized else 12) * batch * width * depth
    of_images = 12 * size * (pixels * pixel_bytes + 4 * outputs)
    return _NETWORK_BASE + (of_parameters + of_layers + of_images) // 10**6


def network_seconds(
    width: int,
    depth: int,
    size: int,
    pixels: int,
    epochs: int,
    seeds: int = 1,
    *,
    outputs: int = 10,
    linearized: bool = False,
) -> float:
    """Generous estimate of a network cell's wall time, seconds.

    Each parameter takes a product and a sum per image forward, and twice that backward; each layer
    of a step of some 64 images a start. A linearization takes four more products.
    """
    flops = (14 if linearized else 6) * _parameters(width, depth, pixels, outputs) * size * epochs
    layers = depth * epochs * size / 64 * _LAYER_SECONDS
    return START_SECONDS + seeds * (flops / (_FLOPS * network_threads(width)) + layers)


def kernel_solver(size: int) -> str:
    """How a kernel cell is solved: ``spectral``, by diagonalization, or ``exact``.

    At the largest size that is diagonalized, both take about as much of a core's time. Beyond it,
    diagonalization takes eight times as long for twice the images, and up to thirty times the
    memory (``benchmarks/exact_solve.py``).
    """
    return "spectral" if size <= LARGEST_DIAGONALIZED else "exact"


def kernel_threads(size: int) -> int:
    """Threads of a kernel cell; an exact one takes all cores."""
    return 1 if kernel_solver(size) == "spectral" else _EXACT_THREADS


def kernel_cluster_threads(size: int) -> int:
    """Threads that a kernel cell requests from a cluster."""
    return min(kernel_threads(size), _EXACT_CLUSTER_THREADS)


def kernel_memory_mb(size: int, test_size: int, kinds: int, pixels: int, outputs: int = 10) -> int:
    """Upper bound on the peak memory of a kernel cell, MB.

    Spectral: both Gram matrices of each kernel, and six more matrices of the training-set size, in
    float64. Exact: half a matrix in float32 for one kernel at a time; and in float64 the images
    and some two thousand columns: pivots, the space of gradient flow and products with it. Beyond
    ten outputs, some thirty arrays of predictions count too: at each time, and their errors.
    """
    of_outputs = 8 * 30 * max(outputs - 10, 0) * (size + test_size)
    if kernel_solver(size) == "spectral":
        matrices = 8 * ((kinds + 6) * size**2 + kinds * size * test_size)
    else:
        matrices = 2 * size**2 + 4 * _TILE * size + 8 * (size + test_size) * (pixels + _COLUMNS)
        matrices += _TEMPORARY
    return _KERNEL_BASE + (matrices + of_outputs) // 10**6


def kernel_seconds(
    size: int, test_size: int, kinds: int, depth: int, pixels: int, activation: str = "relu"
) -> float:
    """Generous estimate of a kernel cell's wall time, seconds.

    The Gram matrices, by inner products and some hundred operations an entry and layer, which
    depend on the activation; then the diagonalization of each, or three passes over each and its
    factorization in float32.
    """
    entry = 2 * pixels + _ENTRY.get(activation, max(_ENTRY.values())) * depth
    if kernel_solver(size) == "spectral":
        entries = (size + test_size) * max(size, _TILE_COLUMNS)
        operations = entries * entry + 10 * kinds * size**3
        return START_SECONDS + operations / _FLOPS
    passes = size * (3 * size / 2 + test_size) * (entry + _EXACT_ENTRY)
    products = (size**3 / 3 + size**2 * test_size) / _FLOAT32_GAIN
    return START_SECONDS + kinds * (_EXACT_SECONDS + (passes + products) / (2 * _FLOPS))


def _parameters(width: int, depth: int, pixels: int, outputs: int) -> int:
    return pixels * width + (depth - 1) * width**2 + outputs * width
