"""Kernel regression on training sets too large to diagonalize, in n²/2 numbers of float32.

For the regularized Gram matrix K of n training images and labels Y:

1. S, what is left of K after the pivots, is computed and rounded to float32 (``preconditioner``).
2. Products with it span a space that holds gradient flow's early times (``krylov``).
3. It is factorized, in place: M ≈ K, by some n³/3 operations (``tiled_cholesky``).
4. Solves with M complete the space for the late times.
5. One pass over the exact K, in float64, its tiles computed anew (``recomputed_gram``), tells what
   it does to that space: from here on nothing depends on what float32 lost.
6. The space is extended by the residuals of each time and M⁻¹ times these, which takes another
   pass: for t = ∞, an iteration of preconditioned conjugate gradients and more. Those times of
   which too little is known then are extended once more.
7. The test images, in batches: predictions at all times, and variances by the factor.

*Jitter.* Where M has no factor, its diagonal alone is raised, by the steps of :data:`JITTERS`: it
takes more rounds of step 6, but the system solved is the same.

*Marginal likelihood.* log det K = log det M + log det(I + E), E = G⁻¹ K G⁻ᵀ − I for M = G Gᵀ. The
second is tr E − tr E²/2 + …, estimated by random signs z in zᵀ E z and |E z|² (Hutchinson 1989).
Its reported error is the standard error of that and the whole of tr E²/2.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil, inf, isfinite, isqrt, log10
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from ntk_mnist.architecture import Architecture
from ntk_mnist.gradient_flow import SolveFailed, check_diagonal
from ntk_mnist.kernel import STRIPS, whole_tiles
from ntk_mnist.krylov import Projection, extended, orthonormal, project, with_directions
from ntk_mnist.preconditioner import Kept, Preconditioner
from ntk_mnist.recomputed_gram import RecomputedGram
from ntk_mnist.solution import Solution, log_marginal_likelihood
from ntk_mnist.tiled_cholesky import NotPositiveDefinite

__all__ = ["JITTERS", "exact_solve"]

Matrix = NDArray[np.float64]
#: Called with a stage, what of it is done, and the whole.
Progress = Callable[[str, int, int], object]

#: Tried in turn on the diagonal of M, in units of its mean.
JITTERS = (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
#: Refinement ends at this relative residual, and at this estimated error of predictions, over
#: √Θ(z, z), or where it stands still.
_RESIDUAL, _ERROR, _ROUNDS = 1e-8, 1e-6, 10
#: A finite time is refined further where the bound on its error is larger, a few times at most. The
#: bound is a hundred times the error and more.
_FLOW_ERROR, _FLOW_ROUNDS = 1e-4, 3
_PIVOTS = 512
#: Steps that extend the space, of k columns each. At n = 16,000, the NTK's bound at t = 1e7 is nine
#: times smaller with ten inverse ones than with five.
_FORWARD, _INVERSE = 30, 15
_PROBES = 8
#: Of glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_EPS = float(np.finfo(np.float64).eps)


@dataclass
class _Space:
    """An orthonormal basis Q and K Q, each (n, p); where they grow, nobody holds the old ones."""

    basis: Matrix
    products: Matrix


class Forgotten(dict[str, NDArray[Any]]):
    """Keeps nothing."""

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Do nothing."""


def exact_solve(
    architecture: Architecture,
    kind: str,
    x: NDArray[Any],
    labels: Matrix,
    z: NDArray[Any],
    times: Sequence[float],
    diag_reg: float,
    *,
    pixel_max: float = 1.0,
    progress: Progress = lambda stage, done, total: None,
    kept: Kept | None = None,
    largest_tile: int | None = None,
) -> Solution:
    """Solve one kernel at every time.

    Args:
        architecture: whose infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        x: training inputs, shape (n, pixels), in units of ``pixel_max``.
        labels: Y, shape (n, k).
        z: test points, likewise, shape (m, pixels).
        times: gradient-flow times, ``inf`` among them.
        diag_reg: added to the diagonal of the Gram matrix, in units of its mean.
        pixel_max: what inputs are divided by.
        progress: told of each stage, in tiles or steps.
        kept: where finished parts are put and looked for.
        largest_tile: rows of a tile; by the device's memory if None.

    Raises:
        SolveFailed: the Gram matrix is singular, vanishes, or has entries that are not finite.
    """
    kept = Forgotten() if kept is None else kept
    _map_large_arrays()
    with _exact_arithmetic():
        largest_tile = largest_tile or _largest_tile()
        tile = _even_tile(len(x), largest_tile)
        gram = RecomputedGram(architecture, kind, x, diag_reg, tile, pixel_max)
        check_diagonal(gram.mean_diagonal)
        preconditioner, basis = _factorized(gram, labels, largest_tile, progress, kept)

        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(x), _PROBES))
        if "products" not in kept:
            vectors = np.hstack([basis, preconditioner.solve_half_transposed(signs)])
            kept["products"] = products = gram.times(vectors, partial(progress, "exact products"))
            del vectors
        else:
            products = kept["products"]
        determinant = preconditioner.log_determinant()
        excess = preconditioner.solve_half(products[:, basis.shape[1] :]) - signs
        correction, determinant_error = _log_determinant_of_ratio(signs, excess)
        space = _Space(basis, products[:, : basis.shape[1]])
        del basis, products, excess

        finite = [time for time in times if isfinite(time)]
        flow, residual, error = _refined(gram, preconditioner, labels, finite, space, progress)
        within = [flow.coefficients(time) for time in times]
        coefficients = [space.basis @ c for c in within]
        train = [
            space.products @ c - gram.ridge * a for c, a in zip(within, coefficients, strict=True)
        ]
        at_infinity = space.basis @ flow.coefficients(inf)
        errors = [flow.error(time) if isfinite(time) else error for time in times]
        del space

        on_test, explained = _at_points(
            gram, preconditioner, z, np.hstack(coefficients), largest_tile, progress
        )
        prior = gram.diagonal(z)
    return Solution(
        train=np.stack(train),
        test=on_test.reshape(len(z), len(times), -1).swapaxes(0, 1),
        errors=float(np.sqrt(prior.max())) * np.array(errors),
        # Where next to nothing is left, rounding may go below.
        variances=np.maximum(prior - explained, 0),
        diag_reg=diag_reg,
        condition_number=float(flow.eigenvalues[-1] / flow.eigenvalues[0]),
        residual=residual,
        jitter=preconditioner.jitter,
        log_marginal_likelihood=log_marginal_likelihood(
            labels, at_infinity, determinant + correction
        ),
        log_marginal_likelihood_error=labels.shape[1] / 2 * determinant_error,
    )


def _map_large_arrays() -> None:
    """Have glibc give a tile's memory back when the tile is freed.

    By itself it learns to keep them in its heap, where the holes between tiles come to a gigabyte
    at 60,000 images. Other C libraries do without.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 8 * 2**20)


@contextmanager
def _exact_arithmetic() -> Iterator[None]:
    """Float64 where asked for, and on a GPU no TF32 in place of float32."""
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def _largest_tile() -> int:
    """Rows of a tile: on a GPU, such that a dozen float64 tiles take a sixteenth of its memory."""
    memory = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    return 64 * isqrt(memory // (16 * 12 * 8) // 64**2) if memory else 2048


def _even_tile(rows: int, largest: int) -> int:
    """Rows of a tile of the fewest that ``largest`` allows."""
    return STRIPS * ceil(rows / ceil(rows / largest) / STRIPS)


def _factorized(
    gram: RecomputedGram, labels: Matrix, largest_tile: int, progress: Progress, kept: Kept
) -> tuple[Preconditioner, Matrix]:
    """The factorized preconditioner, and the basis of a space for gradient flow.

    Raises:
        SolveFailed: no jitter makes a factor.
    """
    pivots = min(_PIVOTS, len(gram.x) // 2 // STRIPS * STRIPS)
    tile = _even_tile(len(gram.x) - pivots, largest_tile)
    for jitter in JITTERS:
        try:
            preconditioner = Preconditioner(gram, pivots, tile, jitter)
            preconditioner.fill(kept, partial(progress, "Schur complement"))
            if "forward" not in kept:
                steps = _counted(preconditioner.product, "forward steps", _FORWARD, progress)
                basis = extended(orthonormal(labels), labels, steps, _FORWARD)
                kept["forward"] = basis
            else:
                basis = kept["forward"]
            preconditioner.factorize(kept, partial(progress, "factorization"))
        except NotPositiveDefinite:
            continue
        if "basis" not in kept:
            steps = _counted(preconditioner.solve, "inverse steps", _INVERSE, progress)
            kept["basis"] = basis = extended(basis, labels, steps, _INVERSE)
        else:
            basis = kept["basis"]
        return preconditioner, basis
    raise SolveFailed(
        f"the {gram.kind} Gram matrix of {len(gram.x)} images has no Cholesky factor even with "
        f"{JITTERS[-1]:g} of its diagonal added; raise kernel.diag_reg"
    )


def _counted(
    apply: Callable[[Matrix], Matrix], stage: str, steps: int, progress: Progress
) -> Callable[[Matrix], Matrix]:
    """``apply``, telling of each call."""
    done = 0

    def counting(vectors: Matrix) -> Matrix:
        nonlocal done
        result = apply(vectors)
        done += 1
        progress(stage, done, steps)
        return result

    return counting


def _log_determinant_of_ratio(signs: Matrix, excess: Matrix) -> tuple[float, float]:
    """log det(I + E) and its error, from random signs z and E z, each of shape (n, probes)."""
    second = (excess**2).sum(axis=0) / 2
    estimates = (signs * excess).sum(axis=0) - second
    error = estimates.std(ddof=1) / np.sqrt(len(estimates)) + second.mean()
    return float(estimates.mean()), float(error)


def _refined(
    gram: RecomputedGram,
    preconditioner: Preconditioner,
    labels: Matrix,
    finite: Sequence[float],
    space: _Space,
    progress: Progress,
) -> tuple[Projection, float, float]:
    """Extend the space by what is missing of each time, until nothing is of t = ∞.

    Args:
        gram: K.
        preconditioner: M ≈ K.
        labels: Y, shape (n, k).
        finite: the finite times; one round serves them, or a few.
        space: Q and K Q, to be extended.
        progress: told of each round's tiles.

    Returns:
        Gradient flow within the space; and of a = K⁻¹ Y therein ‖K a − Y‖ / ‖Y‖ and the error in
        the norm of K, about √(rᵀ M⁻¹ r) for r = Y − K a.

    Raises:
        SolveFailed: K is singular, or after so many rounds the residual is still too large.
    """
    error = inf
    for round_ in range(_ROUNDS + 1):
        flow = project(space.basis, space.products, labels)
        _check_condition(gram, *flow.eigenvalues[[0, -1]])
        late = [time for time in finite if not round_ or flow.error(time) > _FLOW_ERROR]
        late = late if round_ < _FLOW_ROUNDS else []
        rests = np.hstack(
            [flow.residual(space.basis, space.products, time) for time in (*late, inf)]
        )
        toward = preconditioner.solve(rests)
        rest, solved = rests[:, -labels.shape[1] :], toward[:, -labels.shape[1] :]
        residual = float(np.linalg.norm(rest) / np.linalg.norm(labels))
        before, error = error, float(np.sqrt(np.maximum((rest * solved).sum(axis=0), 0).max()))
        # Of a matrix that is nearly singular, rounding may leave more.
        least = error <= _ERROR or (round_ > 1 and error > before / 2)
        if round_ and not late and residual <= _RESIDUAL and least:
            return flow, residual, error
        if round_ < _ROUNDS:
            known = space.basis.shape[1]
            space.basis = with_directions(space.basis, rests)
            space.basis = with_directions(space.basis, toward)
            del rests, toward, rest, solved
            stage = partial(progress, f"refinement {round_ + 1}")
            new = gram.times(space.basis[:, known:], stage)
            space.products = np.hstack([space.products, new])
    raise SolveFailed(
        f"the {gram.kind} solve of {len(labels)} images stands at a residual of {residual:.1e} "
        f"after {_ROUNDS} refinements; set kernel.diag_reg to 1e-6 or more"
    )


def _check_condition(gram: RecomputedGram, smallest: float, largest: float) -> None:
    """Raises SolveFailed where the smallest eigenvalue is in the rounding of the largest."""
    noise = len(gram.x) * _EPS * largest
    if smallest <= noise:
        needed = 10.0 ** ceil(log10(noise / gram.mean_diagonal))
        raise SolveFailed(
            f"the {gram.kind} Gram matrix of {len(gram.x)} images is singular to working "
            f"precision; set kernel.diag_reg to {needed:g}"
        )


def _at_points(
    gram: RecomputedGram,
    preconditioner: Preconditioner,
    z: NDArray[Any],
    coefficients: Matrix,
    largest_tile: int,
    progress: Progress,
) -> tuple[Matrix, Matrix]:
    """Of all test points what ``Preconditioner.at_points`` gives, a batch at a time."""
    size = _even_tile(len(z), largest_tile)
    batches = whole_tiles(z, size)
    per_batch = preconditioner.count * (preconditioner.count + 1) // 2
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress("test images", done, len(batches) * per_batch)

    products, squares = zip(
        *(preconditioner.at_points(points, coefficients, count) for points in batches), strict=True
    )
    return np.concatenate(products)[: len(z)], np.concatenate(squares)[: len(z)]
