"""Gradient flow on a matrix too large to diagonalize, by projection onto a small space.

Under gradient flow (``kernels.diagonalization``) the mean prediction is Θ(x, X) a(t). With
s = t / nk and the regularized training Gram matrix K, its coefficients a solve

    da/ds = Y − K a,    a(0) = 0,    a(s) = φ_s(K) Y,    φ_s(λ) = (1 − exp(−sλ)) / λ.

With an orthonormal basis Q of a space that contains Y, and H = Qᵀ K Q, the Galerkin solution is

    a_Q(s) = Q φ_s(H) Qᵀ Y.

Q spans an extended Krylov space (Druskin & Knizhnerman 1998). Y, K Y, K² Y, … resolve the large
eigenvalues, which determine the early times; K⁻¹ Y, K⁻² Y, … resolve the small ones, which
determine the late times. Because the space contains K⁻¹ Y, a_Q(∞) is K⁻¹ Y: the solution is
continuous from finite times to ∞. The space need not be computed exactly: K Q is exact, and so is
the error that follows from it.

K = Θ(X, X) + ridge · I. Products are with Θ(X, X), and the ridge is held beside them, as the sum of
the two would lose the smaller one. K Q − Q H does not depend on the ridge.

*Error.* The residual is ρ(s) = Y − K a_Q − da_Q/ds = −(K Q − Q H) φ_s(H) Qᵀ Y. The error
e = a − a_Q obeys de/ds = −K e + ρ, so that

    d/ds ½ eᵀ K e = −|K e|² + (K e)ᵀ ρ ≤ |ρ|² / 4,    |√K e(s)|² ≤ ½ ∫₀ˢ |ρ(σ)|² dσ,
    |Θ(x, X) e(s)| ≤ √Θ(x, x) |√K e(s)|,

the last by the Cauchy-Schwarz inequality in the kernel's reproducing space. The integral is a sum
over 16 values of σ per factor of ten, from s / 10⁶ to s, with the larger |ρ| of each two.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ntk_mnist.kernels.solution import Matrix

__all__ = ["Projection", "extended", "orthonormal", "project", "with_directions"]

#: If less than this fraction of a vector's length is left, the rest is rounding.
_NEW = 1e-10
_ROWS = 4096


def orthonormal(block: Matrix) -> Matrix:
    """A basis of the span of the columns, shape (n, rank)."""
    left, lengths, _ = scipy.linalg.svd(block, full_matrices=False)
    return np.asarray(left[:, lengths > _NEW * lengths[0]], np.float64)


def extended(basis: Matrix, block: Matrix, apply: Callable[[Matrix], Matrix], steps: int) -> Matrix:
    """``basis`` and the new directions of A B, A² B, … Aˢᵗᵉᵖˢ B, orthonormal.

    Args:
        basis: orthonormal, shape (n, p).
        block: B, shape (n, k).
        apply: A times a block; need not be exact.
        steps: how many powers.
    """
    for _ in range(steps):
        block = apply(block)
        basis, known = with_directions(basis, block), basis.shape[1]
        block = basis[:, known:]
        if not block.shape[1]:
            break
    return basis


def with_directions(basis: Matrix, block: Matrix) -> Matrix:
    """``basis`` and the directions of ``block`` that are not in its span, orthonormal."""
    block = block / np.maximum(np.linalg.norm(block, axis=0), np.finfo(np.float64).tiny)
    # Twice, because cancellation leaves a part of the span of ``basis`` the first time.
    for _ in range(2):
        block = block - basis @ (basis.T @ block)
    left, lengths, _ = scipy.linalg.svd(block, full_matrices=False)
    block = np.asarray(left[:, lengths > _NEW], np.float64)
    block = block - basis @ (basis.T @ block)
    return np.hstack([basis, np.linalg.qr(block).Q])


@dataclass(frozen=True)
class Projection:
    """Gradient flow within a space.

    Attributes:
        eigenvalues: of H − ridge · I, shape (p,), ascending.
        eigenvectors: of H, in columns, shape (p, p).
        labels: Y in the basis of the eigenvectors, shape (p, k).
        defect: (K Q − Q H)ᵀ (K Q − Q H) in that basis, shape (p, p).
        count: nk, the number of labels.
        ridge: of K.
    """

    eigenvalues: Matrix
    eigenvectors: Matrix
    labels: Matrix
    defect: Matrix
    count: int
    ridge: float

    @property
    def regularized(self) -> Matrix:
        """Eigenvalues of H, shape (p,)."""
        return self.eigenvalues + self.ridge

    def coefficients(self, time: float) -> Matrix:
        """Of a_Q at a time, in the basis Q; ``inf`` is the limit. Shape (p, k)."""
        return self.eigenvectors @ self._flow(time / self.count)

    def residual(self, basis: Matrix, product: Matrix, time: float) -> Matrix:
        """ρ at a time, from Q and Θ(X, X) Q; ``inf`` is the limit. Shape (n, k)."""
        flow = self._flow(time / self.count)
        within = self.eigenvectors @ (self.eigenvalues[:, None] * flow)
        return basis @ within - product @ (self.eigenvectors @ flow)

    def error(self, time: float) -> float:
        """Estimated largest error of any output at any point x and a finite time, over √Θ(x, x)."""
        moments = time / self.count * np.logspace(-6, 0, 97)
        squares = np.array([0.0, *(self._squared_residual(moment) for moment in moments)])
        larger = np.maximum(squares[1:], squares[:-1])
        return float(np.sqrt(larger @ np.diff(moments, prepend=0) / 2))

    def _flow(self, s: float) -> Matrix:
        return (-np.expm1(-s * self.regularized) / self.regularized)[:, None] * self.labels

    def _squared_residual(self, s: float) -> float:
        """The largest of any output."""
        flow = self._flow(s)
        return max(0.0, float((flow * (self.defect @ flow)).sum(axis=0).max()))


def project(basis: Matrix, product: Matrix, labels: Matrix, ridge: float = 0.0) -> Projection:
    """Gradient flow within the span of ``basis``.

    Args:
        basis: Q, orthonormal, shape (n, p); its span contains the labels.
        product: Θ(X, X) Q, shape (n, p).
        labels: Y, shape (n, k).
        ridge: of K.
    """
    inner = basis.T @ product
    eigenvalues, eigenvectors = scipy.linalg.eigh((inner + inner.T) / 2)
    within = inner @ eigenvectors
    defect = np.zeros_like(inner)
    # By rows, because all of K Q − Q H would take as much memory as Q.
    for start in range(0, len(basis), _ROWS):
        rows = slice(start, start + _ROWS)
        rest = product[rows] @ eigenvectors - basis[rows] @ within
        defect += rest.T @ rest
    return Projection(
        eigenvalues=eigenvalues,
        eigenvectors=eigenvectors,
        labels=eigenvectors.T @ (basis.T @ labels),
        defect=defect,
        count=labels.size,
        ridge=ridge,
    )
