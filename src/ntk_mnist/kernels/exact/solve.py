"""Kernel regression on training sets too large to diagonalize, in n²/2 numbers of float32.

For the regularized Gram matrix K of n training images and labels Y:

1. Some images are chosen as pivots. S, the Schur complement of their block in K, is computed and
   rounded to float32 (``preconditioner``).
2. Products with it span a space that resolves gradient flow's early times (``krylov``).
3. It is factorized in place, M ≈ K, which takes about n³/3 operations (``factorization``).
4. Solves with M complete the space for the late times.
5. One pass over the exact K, in float64, whose tiles are computed again (``recomputed_gram``),
   gives K times that space. From here on, the result does not depend on what float32 lost.
6. The space is extended by the residuals of each time and by M⁻¹ and M⁻² times these, which takes
   another pass. For t = ∞ this does what an iteration of preconditioned conjugate gradients does,
   and more. Times whose error bound is still too large are refined again.
7. The test images, in batches: predictions at all times, and variances from the factor.

*Range.* Float32 holds numbers from 10⁻³⁸ to 10³⁸ only. So Θ is scaled by a power of two that brings
the diagonal of K near 1, and time by its inverse. Every result is that of the unscaled kernel.

*Singular matrices.* What float32 loses hides eigenvalues of K below about 10⁻⁷ of its diagonal from
M. If K is singular to working precision, ``diag_reg`` is raised above that at once. The space and
the products with Θ are kept; only M is computed again.

*Jitter.* If M has no factor, its diagonal alone is raised, by the steps of :data:`JITTERS`. This
takes more rounds of step 6, but the system that is solved is the same.

*Marginal likelihood.* log det K = log det M + log det(I + E), E = G⁻¹ K G⁻ᵀ − I for M = G Gᵀ. The
second term is tr E − tr E²/2 + …, estimated with random signs z from zᵀ E z and |E z|² (Hutchinson
1989). The reported error is the standard error of that estimate plus all of tr E²/2.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import ceil, inf, isfinite, isqrt, log, log2
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.compilation import pinned
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.exact.device_tiles import DeviceTiles
from ntk_mnist.kernels.exact.factorization import Factorization, NotPositiveDefinite
from ntk_mnist.kernels.exact.host_tiles import HostTiles
from ntk_mnist.kernels.exact.image_tiles import TileKernel, on_host
from ntk_mnist.kernels.exact.krylov import (
    Projection,
    extended,
    orthonormal,
    project,
    with_directions,
)
from ntk_mnist.kernels.exact.preconditioner import Preconditioner
from ntk_mnist.kernels.exact.recomputed_gram import RecomputedGram
from ntk_mnist.kernels.gram import STRIP, diagonal, whole_tiles
from ntk_mnist.kernels.precision import entry_error
from ntk_mnist.kernels.solution import Arrays, Matrix, Solution, likelihood
from ntk_mnist.kernels.solver import (
    REUSED,
    Attempt,
    Services,
    Singular,
    SolveFailed,
    Solver,
    check_diagonal,
    check_regular,
    rounding_errors,
)
from ntk_mnist.runtime import threads
from ntk_mnist.store.progress import Progress, Stage

__all__ = ["JITTERS", "ExactSolver"]

#: Tried in this order on the diagonal of M, in units of its mean.
JITTERS = (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
#: Refinement ends at this relative residual, or at as many roundings of float64 in K a, and when
#: the estimated error of predictions, over √Θ(z, z), is this small or no longer falls.
_RESIDUAL, _ROUNDINGS, _ERROR, _ROUNDS = 1e-8, 4, 1e-6, 10
#: Refinement is given up if as many rounds do not halve the residual.
_STAGNANT = 3
#: Of a kernel with a mean diagonal of 1, a gradient-flow time at which nothing changes any more.
_AS_GOOD_AS_INFINITE = 1e60
#: A finite time is refined if the bound on its error is larger than the first, and again if it is
#: larger than the second, twice at most: a round is a pass over K. The bound is at least a hundred
#: times the error.
_FLOW_ERRORS, _FLOW_ROUNDS = (1e-6, 1e-3), 2
_PIVOTS = 256
#: Steps that extend the space, of k columns each, and solves with M of the residuals. A forward
#: step is one pass over the tiles, and an inverse one two. Late times, too, need many forward
#: steps: at n = 16,000, the NNGP's bound at t = 1e7 is a hundred times less with 30 than with 20.
_FORWARD, _INVERSE, _SOLVES = 40, 6, 2
_PROBES = 8
#: From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_EPS, _FLOAT32_EPS = (float(np.finfo(dtype).eps) for dtype in (np.float64, np.float32))


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
        step_size: float,
    ) -> Iterator[Attempt]:
        """Each kernel is computed and solved by itself.

        Raises:
            SolveFailed: of gradient descent, for which there is no bound on the error.
        """
        if step_size:
            raise SolveFailed("the exact solver follows gradient flow only")
        of_entries = entry_error(architecture, dataset)
        for kind in kinds:
            yield _Problem(
                architecture,
                kind,
                dataset,
                times,
                of_entries,
                self.services,
                self._largest_tile or _largest_tile(),
            ).solve


@dataclass
class _Space:
    """An orthonormal basis Q and Θ(X, X) Q, each (n, p).

    When they grow, nothing holds the old ones.
    """

    basis: Matrix
    products: Matrix


@dataclass(frozen=True)
class _KeptSpace:
    """The largest space so far in a checkpoint; it holds for every ``diag_reg`` of one scale.

    Attributes:
        checkpoint: where it is.
        scale: of Θ.
    """

    checkpoint: Arrays
    scale: float

    def read(self) -> _Space | None:
        """The space; None if there is none."""
        bases = (name for name in self.checkpoint if name.startswith(self._name("basis", "")))
        for name in sorted(bases, key=lambda name: int(name.rsplit("=", 1)[-1]), reverse=True):
            columns = name.rsplit("=", 1)[-1]
            if (products := self._name("products", columns)) in self.checkpoint:
                return _Space(self.checkpoint[name], self.checkpoint[products])
        return None

    def write(self, space: _Space) -> None:
        """Replace the space; the old one is removed when the new one is complete."""
        columns = str(space.basis.shape[1])
        now = {self._name("basis", columns), self._name("products", columns)}
        self.checkpoint[self._name("basis", columns)] = space.basis
        self.checkpoint[self._name("products", columns)] = space.products
        for name in list(self.checkpoint):
            if name.startswith(REUSED) and name not in now:
                del self.checkpoint[name]

    def _name(self, part: str, columns: str) -> str:
        return f"{REUSED}scale={self.scale:g},{part}={columns}"


@dataclass(frozen=True)
class _Problem:
    """One kernel, to be solved at every time.

    Attributes:
        architecture: its infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        dataset: n training images and m test images.
        times: gradient-flow times; ``inf`` is the limit.
        entry_error: of an entry of Θ, relative to the largest.
        services: what the solver may use of its surroundings.
        largest_tile: rows of a tile.
        kernels: Θ of two tiles, by its scale.
    """

    architecture: settings.Architecture
    kind: str
    dataset: Dataset
    times: Sequence[float]
    entry_error: float
    services: Services
    largest_tile: int
    kernels: dict[float, TileKernel] = field(default_factory=dict)

    @cached_property
    def progress(self) -> Progress:
        """Called with each stage."""
        return self.services.progress(self.kind)

    @cached_property
    def mean_diagonal(self) -> float:
        """Of Θ(X, X), not scaled."""
        return float(np.mean(self.diagonal(self.dataset.train_images)))

    def diagonal(self, images: NDArray[Any]) -> Matrix:
        """Θ(z, z) of each image, not scaled, shape (m,)."""
        inputs = partial(self.dataset.inputs, dtype=np.float64)
        return diagonal(self.architecture, images, (self.kind,), inputs)[self.kind]

    def kernel(self, scale: float) -> TileKernel:
        """One function for all values of ``diag_reg``, so that each program is compiled once."""
        if scale not in self.kernels:
            inputs = partial(self.dataset.inputs, dtype=np.float64)
            self.kernels[scale] = TileKernel(
                *(self.architecture, self.kind, inputs, scale),
                proportional=self.dataset.proportional,
            )
        return self.kernels[scale]

    def solve(self, diag_reg: float, checkpoint: Arrays) -> Solution:
        """Solve with this regularization, from the parts that are in the checkpoint."""
        # Here, as it sets a variable of OpenMP in the environment, which no import should.
        from threadpoolctl import threadpool_limits

        _map_large_arrays()
        # A small matrix gains nothing from several threads of BLAS; here it takes most of the time.
        with pinned(x64=True), threadpool_limits(threads(), "blas"):
            return self._solve(diag_reg, checkpoint)

    def _solve(self, diag_reg: float, checkpoint: Arrays) -> Solution:
        check_diagonal(self.mean_diagonal, diag_reg)
        scale = 2.0 ** -round(log2(self.mean_diagonal * max(1.0, diag_reg)))
        times = [
            time / scale if time / scale < _AS_GOOD_AS_INFINITE else inf for time in self.times
        ]
        labels = self.dataset.targets(self.dataset.train_labels)
        tile = _even_tile(len(labels), self.largest_tile)
        gram = RecomputedGram(
            *(self.kernel(scale), self.dataset.train_images, tile),
            *(scale * self.mean_diagonal, diag_reg),
        )
        kept = _KeptSpace(checkpoint, scale)
        preconditioner, basis = self._factorized(gram, labels, kept, checkpoint)

        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(labels), _PROBES))
        space, probes = self._products(gram, preconditioner, basis, signs, kept, checkpoint)
        del basis
        determinant = preconditioner.log_determinant() - len(labels) * log(scale)
        excess = preconditioner.solve_half(probes) - signs
        correction, determinant_error = _log_determinant_of_ratio(signs, excess)
        del probes, excess

        flow, residual, error = self._refined(gram, preconditioner, labels, times, space, kept)
        within = [flow.coefficients(time) for time in times]
        coefficients = [space.basis @ c for c in within]
        train = [space.products @ c for c in within]
        # Of the kernel that is not scaled.
        at_infinity = scale * (space.basis @ flow.coefficients(inf))
        errors = [flow.error(time) if isfinite(time) else error for time in times]
        del space

        on_test, explained = self._at_test_images(preconditioner, np.hstack(coefficients))
        prior = scale * self.diagonal(self.dataset.test_images)
        # |K⁻¹ Θ(X, x)| is at most this.
        weights = float(np.sqrt(max(explained.max(), 0) / flow.regularized[0]))
        of_entries = rounding_errors(
            *(coefficients, times, weights, gram.mean_diagonal, float(prior.max())),
            self.entry_error,
        )
        return Solution(
            kind=self.kind,
            train=np.stack(train),
            test=on_test.reshape(len(prior), len(times), -1).swapaxes(0, 1),
            errors=float(np.sqrt(prior.max())) * np.array(errors) + of_entries,
            # Where the variance nearly vanishes, rounding may make it negative.
            variances=np.maximum(prior - explained, 0) / scale,
            diag_reg=diag_reg,
            condition_number=float(flow.regularized[-1] / flow.regularized[0]),
            residual=residual,
            jitter=preconditioner.jitter,
            **likelihood(labels, at_infinity, determinant + correction)._asdict(),
            log_marginal_likelihood_error=labels.shape[1] / 2 * determinant_error,
        )

    def _products(
        self,
        gram: RecomputedGram,
        preconditioner: Preconditioner,
        basis: Matrix,
        signs: Matrix,
        kept: "_KeptSpace",
        checkpoint: Arrays,
    ) -> tuple[_Space, Matrix]:
        """The space of the basis, and K G⁻ᵀ times the signs, in one pass.

        Raises:
            SolveFailed: an entry of Θ is NaN or infinite.
        """
        space = kept.read() or _Space(basis[:, :0], basis[:, :0])
        known = space.basis.shape[1]
        of_probes = checkpoint.get("probes")
        if known < basis.shape[1] or of_probes is None:
            probes = preconditioner.solve_half_transposed(signs)
            vectors = np.hstack([basis[:, known:], probes])
            products = gram.times(vectors, partial(self.progress, Stage.EXACT_PRODUCTS))
            # A product with NaN is NaN.
            check_diagonal(gram.mean_diagonal if np.isfinite(products).all() else float("nan"))
            space = _Space(basis, np.hstack([space.products, products[:, :-_PROBES]]))
            kept.write(space)
            of_probes = products[:, -_PROBES:] + gram.ridge * probes
            checkpoint["probes"] = of_probes
        return space, of_probes

    def _factorized(
        self, gram: RecomputedGram, labels: Matrix, kept: "_KeptSpace", checkpoint: Arrays
    ) -> tuple[Preconditioner, Matrix]:
        """The factorized preconditioner, and the basis of a space for gradient flow.

        Raises:
            Singular: M has no factor with any jitter.
        """
        pivots = min(_PIVOTS, len(labels) // 2)
        tile = _even_tile(len(labels) - pivots, self.largest_tile)
        for jitter in JITTERS:
            try:
                preconditioner = Preconditioner(gram, pivots, tile, jitter, self._tiles)
                preconditioner.fill(checkpoint, partial(self.progress, Stage.SCHUR_COMPLEMENT))
                space = kept.read()
                if space is not None:
                    basis = space.basis
                elif "forward" not in checkpoint:
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

    def _tiles(self, count: int, tile: int) -> Factorization:
        """A place for tiles, where JAX's device computes."""
        if on_host():
            return HostTiles(count, tile, self.services.arrays)
        return DeviceTiles(count, tile)

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
        self,
        gram: RecomputedGram,
        preconditioner: Preconditioner,
        labels: Matrix,
        times: Sequence[float],
        space: _Space,
        kept: "_KeptSpace",
    ) -> tuple[Projection, float, float]:
        """Extend the space by the residual of each time, until that of t = ∞ is small.

        Args:
            gram: K.
            preconditioner: M ≈ K.
            labels: Y, shape (n, k).
            times: of the scaled kernel.
            space: Q and Θ Q, which are extended. One round is enough for most finite times.
            kept: where the space is written before ``diag_reg`` is raised.

        Returns:
            Gradient flow within the space; and for a = K⁻¹ Y in the space ‖K a − Y‖ / ‖Y‖ and the
            error in the norm of K, about √(rᵀ M⁻¹ r) for r = Y − K a.

        Raises:
            Singular: K is singular to working precision, or the residual is still too large after
                the last round, or no longer falls.
        """
        finite = [time for time in times if isfinite(time)]
        error, residuals, norm = inf, [inf], float(np.linalg.norm(labels))
        for round_ in range(_ROUNDS + 1):
            flow = project(space.basis, space.products, labels, gram.ridge)
            smallest, largest = (float(value) for value in flow.eigenvalues[[0, -1]])
            try:
                check_regular(
                    *(len(labels), smallest, largest, gram.mean_diagonal, gram.diag_reg),
                    self.entry_error,
                )
            except Singular as singular:
                kept.write(space)
                raise Singular(max(singular.needed, _FLOAT32_EPS)) from None
            allowed = _FLOW_ERRORS[min(round_, 1)]
            late = [time for time in finite if flow.error(time) > allowed]
            late = late if round_ < _FLOW_ROUNDS else []
            rests = np.hstack(
                [flow.residual(space.basis, space.products, time) for time in (*late, inf)]
            )
            toward = preconditioner.solve(rests)
            rest, solved = rests[:, -labels.shape[1] :], toward[:, -labels.shape[1] :]
            residual = float(np.linalg.norm(rest)) / norm
            # Conflicting labels of equal images make K a a difference of large numbers.
            rounding = _EPS * largest * float(np.linalg.norm(flow.coefficients(inf))) / norm
            small = residual <= max(_RESIDUAL, _ROUNDINGS * rounding)
            before, error = error, float(np.sqrt(np.maximum((rest * solved).sum(axis=0), 0).max()))
            # If the matrix is nearly singular, rounding may prevent a smaller error.
            least = error <= _ERROR or (round_ > 1 and error > before / 2)
            if round_ and not late and small and least:
                return flow, residual, error
            residuals.append(residual)
            stagnant = round_ >= _STAGNANT and residual > residuals[-_STAGNANT] / 2
            if round_ < _ROUNDS and (small or not stagnant):
                known = space.basis.shape[1]
                space.basis = with_directions(space.basis, rests)
                space.basis = with_directions(space.basis, toward)
                space.basis = extended(space.basis, toward, preconditioner.solve, _SOLVES - 1)
                del rests, toward, rest, solved
                new = gram.times(space.basis[:, known:], partial(self.progress, Stage.REFINEMENT))
                space.products = np.hstack([space.products, new])
            else:
                break
        kept.write(space)
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
    """Make glibc give the memory of a large array back when the array is freed.

    By default it learns to keep larger and larger arrays in its heap, where the holes between them
    add up to a gigabyte at 60,000 images. A tile of float64 stays in the heap: new memory for each
    would take a sixth of the time of computing it. Other C libraries do not need this.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)


def _largest_tile() -> int:
    """Rows of a tile: on a GPU, such that a dozen float64 tiles take a sixteenth of its memory."""
    memory = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    return 64 * isqrt(memory // (16 * 12 * 8) // 64**2) if memory else 1024


def _even_tile(rows: int, largest: int) -> int:
    """Rows of a tile, such that the fewest tiles of at most ``largest`` rows are about equal."""
    return STRIP * ceil(rows / ceil(rows / largest) / STRIP)


def _log_determinant_of_ratio(signs: Matrix, excess: Matrix) -> tuple[float, float]:
    """log det(I + E) and its error, from random signs z and E z, each of shape (n, probes)."""
    second = (excess**2).sum(axis=0) / 2
    estimates = (signs * excess).sum(axis=0) - second
    error = estimates.std(ddof=1) / np.sqrt(len(estimates)) + second.mean()
    return float(estimates.mean()), float(error)
