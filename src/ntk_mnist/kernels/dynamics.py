"""How the residual of a training set falls along the eigenvectors of its kernel matrix.

Under the loss L = |f − Y|² / (2nk), gradient flow multiplies the residual along an eigenvector of
eigenvalue λ by exp(−tλ / nk) in time t. Gradient descent of step size η multiplies it by
1 − ηλ / nk in each step, and s steps take the gradient-flow time t = sη. It converges if
η < 2nk / λ for each λ (Lee et al. 2019, arXiv:1902.06720, section 2.2).
"""

from dataclasses import dataclass
from math import inf

import numpy as np

from ntk_mnist.kernels.solution import Matrix
from ntk_mnist.kernels.solver import SolveFailed

__all__ = ["GRADIENT_FLOW", "Dynamics"]


@dataclass(frozen=True)
class Dynamics:
    """Gradient flow, or gradient descent of one step size.

    Attributes:
        step_size: η of gradient descent, a gradient-flow time; 0 for gradient flow.
    """

    step_size: float = 0.0

    def learned(self, rates: Matrix, time: float) -> Matrix:
        """The fraction of the residual that is gone at a time, 1 − exp(−t r) or 1 − (1 − ηr)^s.

        Args:
            rates: λ / nk, of any shape; ηr < 2.
            time: t; ``inf`` is the limit. Of descent, a whole number of steps.
        """
        if not self.step_size or time == inf:
            return -np.expm1(-time * rates)
        steps, left = round(time / self.step_size), 1 - self.step_size * rates
        # Where little is learned, 1 − left^s would cancel.
        slow = left > 0.5
        exponent = steps * np.log1p(np.where(slow, -self.step_size * rates, 0.0))
        return np.where(slow, -np.expm1(exponent), 1 - left**steps)

    def check_stable(self, largest: float, count: int) -> None:
        """Check that gradient descent converges.

        Args:
            largest: the largest eigenvalue λ of the regularized kernel matrix.
            count: nk, the number of labels.

        Raises:
            SolveFailed: the step size is too large.
        """
        limit = 2 * count / largest
        if self.step_size >= limit:
            raise SolveFailed(
                f"training.step_size {self.step_size:g} is too large: gradient descent diverges "
                f"from 2nk/λ_max = {limit:.4g} on; set training.step_size to {0.9 * limit:.3g} or "
                "less"
            )


GRADIENT_FLOW = Dynamics()
