"""Kernel regression on training sets too large to diagonalize, in n²/2 numbers of float32.

For the regularized Gram matrix K of n training images and labels Y:

1. Some images are chosen as pivots. S, the Schur complement of their block in K, is computed and
   rounded to float32 (``preconditioner``).
2. Products with it span a space that resolves gradient flow's early times (``krylov``).
3. It is factorized in place, M ≈ K, which takes about n³/3 operations (``tiled_cholesky``).
4. Solves with M complete the space for the late times.
5. One pass over the exact K, in float64, whose tiles are computed again (``recomputed_gram``),
   gives K times that space. From here on, the result does not depend on what float32 lost.
6. The space is extended by the residuals of each time and by M⁻¹ times these, which takes another
   pass. For t = ∞ this does what an iteration of preconditioned conjugate gradients does, and more.
   Times whose error bound is still too large are refined again.
7. The test images, in batches: predictions at all times, and variances from the factor.

*Jitter.* If M has no factor, its diagonal alone is raised, by the steps of :data:`JITTERS`. This
takes more rounds of step 6, but the system that is solved is the same.

*Marginal likelihood.* log det K = log det M + log det(I + E), E = G⁻¹ K G⁻ᵀ − I for M = G Gᵀ. The
second term is tr E − tr E²/2 + …, estimated with random signs z from zᵀ E z and |E z|² (Hutchinson
1989). The reported error is the standard error of that estimate plus all of tr E²/2.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil, inf, isfinite, isqrt

import jax
import numpy as np

from ntk_mnist import settings
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.exact.krylov import (
    Projection,
    extended,
    orthonormal,
    project,
    with_directions,
)
from ntk_mnist.kernels.exact.preconditioner import Preconditioner
from ntk_mnist.kernels.exact.recomputed_gram import RecomputedGram, TileKernel, tile_kernel
from ntk_mnist.kernels.exact.tiled_cholesky import NotPositiveDefinite
from ntk_mnist.kernels.gram import STRIPS, whole_tiles
from ntk_mnist.kernels.solution import Arrays, Matrix, Solution, log_marginal_likelihood
from ntk_mnist.kernels.solver import (
    Attempt,
    Services,
    Singular,
    Solver,
    check_diagonal,
    check_regular,
)
from ntk_mnist.store.progress import Progress, Stage

__all__ = ["JITTERS", "ExactSolver"]

#: Tried in this order on the diagonal of M, in units of its mean.
JITTERS = (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
#: Refinement ends at this relative residual, and when the estimated error of predictions, over
#: √Θ(z, z), is this small or no longer falls.
_RESIDUAL, _ERROR, _ROUNDS = 1e-8, 1e-6, 10
#: A finite time is refined again if the bound on its error is larger, a few times at most. The
#: bound is at least a hundred times the error.
_FLOW_ERROR, _FLOW_ROUNDS = 1e-4, 3
_PIVOTS = 512
#: Steps that extend the space, of k columns each. At n = 16,000, the NTK's bound at t = 1e7 is nine
#: times smaller with ten inverse steps than with five.
_FORWARD, _INVERSE = 30, 15
_PROBES = 8
#: From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_FLOAT32_EPS = float(np.finfo(np.float32).eps)


class ExactSolver(Solver):
    """Solves with a factorization in float32 that is corrected by float64 products.

    Args:
        services: what the solver may use of its surroundings.
        largest_tile: rows of a tile; if None, the device's memory determines it.
    """

    def __init__(
        self, services: Services | None = None, *, largest_tile: int | None = None
    ) -> None:
        super().__init__(services)
        self._largest_tile = largest_tile

    def attempts(
        self,
        architecture: settings.Architecture,
        kinds: Sequence[str],
        dataset: Dataset,
        times: Sequence[float],
    ) -> Iterator[Attempt]:
        """Each kernel is computed and solved by itself."""
        for kind in kinds:
            yield _Problem(
                architecture,
                kind,
                dataset,
                times,
                self.services.progress(kind),
                self._largest_tile or _largest_tile(),
            ).solve


@dataclass
class _Space:
    """An orthonormal basis Q and K Q, each (n, p); when they grow, nothing holds the old ones."""

    basis: Matrix
    products: Matrix


@dataclass(frozen=True)
class _Problem:
    """One kernel, to be solved at every time.

    Attributes:
        architecture: its infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        dataset: n training images and m test images.
        times: gradient-flow times; ``inf`` is the limit.
        progress: called with each stage.
        largest_tile: rows of a tile.
    """

    architecture: settings.Architecture
    kind: str
    dataset: Dataset
    times: Sequence[float]
    progress: Progress
    largest_tile: int

    @cached_property
    def kernel(self) -> TileKernel:
        """One function for all values of ``diag_reg``, so that each program is compiled once."""
        inputs = partial(self.dataset.inputs, dtype=np.float64)
        return tile_kernel(self.architecture, self.kind, inputs)

    def solve(self, diag_reg: float, checkpoint: Arrays) -> Solution:
        """Solve with this regularization, from the parts that are in the checkpoint."""
        _map_large_arrays()
        with _exact_arithmetic():
            return self._solve(diag_reg, checkpoint)

    def _solve(self, diag_reg: float, checkpoint: Arrays) -> Solution:
        labels = self.dataset.targets(self.dataset.train_labels)
        tile = _even_tile(len(labels), self.largest_tile)
        gram = RecomputedGram(self.kernel, self.dataset.train_images, diag_reg, tile)
        check_diagonal(gram.mean_diagonal)
        preconditioner, basis = self._factorized(gram, labels, checkpoint)

        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(labels), _PROBES))
        if "products" not in checkpoint:
            vectors = np.hstack([basis, preconditioner.solve_half_transposed(signs)])
            products = gram.times(vectors, partial(self.progress, Stage.EXACT_PRODUCTS))
            checkpoint["products"] = products
            del vectors
        else:
            products = checkpoint["products"]
        determinant = preconditioner.log_determinant()
        excess = preconditioner.solve_half(products[:, basis.shape[1] :]) - signs
        correction, determinant_error = _log_determinant_of_ratio(signs, excess)
        space = _Space(basis, products[:, : basis.shape[1]])
        del basis, products, excess

        flow, residual, error = self._refined(gram, preconditioner, labels, space)
        within = [flow.coefficients(time) for time in self.times]
        coefficients = [space.basis @ c for c in within]
        train = [
            space.products @ c - gram.ridge * a for c, a in zip(within, coefficients, strict=True)
        ]
        at_infinity = space.basis @ flow.coefficients(inf)
        errors = [flow.error(time) if isfinite(time) else error for time in self.times]
        del space

        on_test, explained = self._at_test_images(preconditioner, np.hstack(coefficients))
        prior = gram.diagonal(self.dataset.test_images)
        return Solution(
            kind=self.kind,
            train=np.stack(train),
            test=on_test.reshape(len(prior), len(self.times), -1).swapaxes(0, 1),
            errors=float(np.sqrt(prior.max())) * np.array(errors),
            # Where the variance nearly vanishes, rounding may make it negative.
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

    def _factorized(
        self, gram: RecomputedGram, labels: Matrix, checkpoint: Arrays
    ) -> tuple[Preconditioner, Matrix]:
        """The factorized preconditioner, and the basis of a space for gradient flow.

        Raises:
            Singular: M has no factor with any jitter.
        """
        pivots = min(_PIVOTS, len(labels) // 2 // STRIPS * STRIPS)
        tile = _even_tile(len(labels) - pivots, self.largest_tile)
        for jitter in JITTERS:
            try:
                preconditioner = Preconditioner(gram, pivots, tile, jitter)
                preconditioner.fill(checkpoint, partial(self.progress, Stage.SCHUR_COMPLEMENT))
                if "forward" not in checkpoint:
                    product = self._counted(preconditioner.product, Stage.FORWARD_STEPS, _FORWARD)
                    basis = extended(orthonormal(labels), labels, product, _FORWARD)
                    checkpoint["forward"] = basis
                else:
                    basis = checkpoint["forward"]
                preconditioner.factorize(checkpoint, partial(self.progress, Stage.FACTORIZATION))
            except NotPositiveDefinite:
                continue
            if "basis" not in checkpoint:
                solve = self._counted(preconditioner.solve, Stage.INVERSE_STEPS, _INVERSE)
                checkpoint["basis"] = basis = extended(basis, labels, solve, _INVERSE)
            else:
                basis = checkpoint["basis"]
            return preconditioner, basis
        # So K itself is not positive definite with all of that on its diagonal.
        raise Singular(gram.diag_reg + JITTERS[-1])

    def _counted(
        self, apply: Callable[[Matrix], Matrix], stage: Stage, steps: int
    ) -> Callable[[Matrix], Matrix]:
        """``apply``, which reports each call as a step of ``stage``."""
        done = 0

        def counting(vectors: Matrix) -> Matrix:
            nonlocal done
            result = apply(vectors)
            done += 1
            self.progress(stage, done, steps)
            return result

        return counting

    def _refined(
        self, gram: RecomputedGram, preconditioner: Preconditioner, labels: Matrix, space: _Space
    ) -> tuple[Projection, float, float]:
        """Extend the space by the residual of each time, until that of t = ∞ is small.

        Args:
            gram: K.
            preconditioner: M ≈ K.
            labels: Y, shape (n, k).
            space: Q and K Q, which are extended. One round is enough for most finite times.

        Returns:
            Gradient flow within the space; and for a = K⁻¹ Y in the space ‖K a − Y‖ / ‖Y‖ and the
            error in the norm of K, about √(rᵀ M⁻¹ r) for r = Y − K a.

        Raises:
            Singular: K is singular to working precision, or the residual is still too large after
                the last round.
        """
        finite = [time for time in self.times if isfinite(time)]
        error = inf
        for round_ in range(_ROUNDS + 1):
            flow = project(space.basis, space.products, labels)
            smallest, largest = (float(value) - gram.ridge for value in flow.eigenvalues[[0, -1]])
            check_regular(len(labels), smallest, largest, gram.mean_diagonal, gram.diag_reg)
            late = [time for time in finite if not round_ or flow.error(time) > _FLOW_ERROR]
            late = late if round_ < _FLOW_ROUNDS else []
            rests = np.hstack(
                [flow.residual(space.basis, space.products, time) for time in (*late, inf)]
            )
            toward = preconditioner.solve(rests)
            rest, solved = rests[:, -labels.shape[1] :], toward[:, -labels.shape[1] :]
            residual = float(np.linalg.norm(rest) / np.linalg.norm(labels))
            before, error = error, float(np.sqrt(np.maximum((rest * solved).sum(axis=0), 0).max()))
            # If the matrix is nearly singular, rounding may prevent a smaller error.
            least = error <= _ERROR or (round_ > 1 and error > before / 2)
            if round_ and not late and residual <= _RESIDUAL and least:
                return flow, residual, error
            if round_ < _ROUNDS:
                known = space.basis.shape[1]
                space.basis = with_directions(space.basis, rests)
                space.basis = with_directions(space.basis, toward)
                del rests, toward, rest, solved
                new = gram.times(space.basis[:, known:], partial(self.progress, Stage.REFINEMENT))
                space.products = np.hstack([space.products, new])
        # Rounding to float32 hides K's smallest eigenvalues from M unless they are larger than it.
        raise Singular(_FLOAT32_EPS)

    def _at_test_images(
        self, preconditioner: Preconditioner, coefficients: Matrix
    ) -> tuple[Matrix, Matrix]:
        """What ``Preconditioner.at_points`` gives for all test images, a batch at a time."""
        images = self.dataset.test_images
        batches = whole_tiles(images, _even_tile(len(images), self.largest_tile))
        per_batch = preconditioner.count * (preconditioner.count + 1) // 2
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            self.progress(Stage.TEST_IMAGES, done, len(batches) * per_batch)

        products, squares = zip(
            *(preconditioner.at_points(points, coefficients, count) for points in batches),
            strict=True,
        )
        return np.concatenate(products)[: len(images)], np.concatenate(squares)[: len(images)]


def _map_large_arrays() -> None:
    """Make glibc give the memory of a tile back when the tile is freed.

    By default it learns to keep tiles in its heap, where the holes between them add up to a
    gigabyte at 60,000 images. Other C libraries do not need this.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 8 * 2**20)


@contextmanager
def _exact_arithmetic() -> Iterator[None]:
    """Float64 where it is asked for, and on a GPU no TF32 in place of float32."""
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def _largest_tile() -> int:
    """Rows of a tile: on a GPU, such that a dozen float64 tiles take a sixteenth of its memory."""
    memory = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    return 64 * isqrt(memory // (16 * 12 * 8) // 64**2) if memory else 2048


def _even_tile(rows: int, largest: int) -> int:
    """Rows of a tile, such that the fewest tiles of at most ``largest`` rows are about equal."""
    return STRIPS * ceil(rows / ceil(rows / largest) / STRIPS)


def _log_determinant_of_ratio(signs: Matrix, excess: Matrix) -> tuple[float, float]:
    """log det(I + E) and its error, from random signs z and E z, each of shape (n, probes)."""
    second = (excess**2).sum(axis=0) / 2
    estimates = (signs * excess).sum(axis=0) - second
    error = estimates.std(ddof=1) / np.sqrt(len(estimates)) + second.mean()
    return float(estimates.mean()), float(error)
