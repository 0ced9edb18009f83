"""The variance of trained networks of infinite width over their random initial parameters.

Networks that are not centred start from a Gaussian process with the NNGP kernel K. Training by the
NTK Θ leaves at the point x and time t, with A = Θ(x, X) φ_t(Θ(X, X)) of
``kernels.diagonalization``,

    f_t(x) = f_0(x) + A (Y − f_0(X)),    Var f_t(x) = K(x, x) − 2 A K(X, x) + A K(X, X) Aᵀ,

the same for each output (Lee et al. 2019, arXiv:1902.06720, eq. 16).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from ntk_mnist import settings
from ntk_mnist.compilation import Programs, compile_in_memory
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.diagonalization import diagonalize
from ntk_mnist.kernels.dynamics import GRADIENT_FLOW, Dynamics
from ntk_mnist.kernels.gram import diagonal, gram
from ntk_mnist.kernels.precision import entry_error
from ntk_mnist.kernels.solution import Matrix

__all__ = ["trained_variances"]


def trained_variances(
    architecture: settings.Architecture,
    dataset: Dataset,
    times: Sequence[float],
    diag_reg: float,
    dynamics: Dynamics = GRADIENT_FLOW,
    programs: Programs = compile_in_memory,
) -> Matrix:
    """The variance of a trained network's output at each test image, over initial parameters.

    Args:
        architecture: its infinite-width limit is taken.
        dataset: n training and m test images.
        times: gradient-flow times; ``inf`` is the limit.
        diag_reg: added to the diagonal of Θ(X, X), in units of its mean.
        dynamics: gradient flow or descent.
        programs: provides compiled programs.

    Returns:
        Shape (times, m).

    Raises:
        SolveFailed: Θ(X, X) is not known, not finite or vanishes, or descent diverges.
        Singular: Θ(X, X) is singular to working precision with this ``diag_reg``.
    """
    entry_error(architecture, dataset, programs)
    train, test = dataset.train_images, dataset.test_images
    inputs = partial(dataset.inputs, dtype=np.float64)
    at_train = gram(architecture, train, None, KINDS, inputs, programs)
    at_test = gram(architecture, test, train, KINDS, inputs, programs)
    prior = diagonal(architecture, test, ("nngp",), inputs, programs)["nngp"]
    labels = dataset.targets(dataset.train_labels)
    flow = diagonalize(at_train["ntk"]).flow(labels, diag_reg, dynamics=dynamics)
    projected = at_test["ntk"] @ flow.eigenvectors
    # K in the eigenvectors of Θ.
    covariance = flow.eigenvectors.T @ at_train["nngp"] @ flow.eigenvectors
    cross = at_test["nngp"] @ flow.eigenvectors
    variances = []
    for time in times:
        learned = dynamics.learned(flow.regularized / labels.size, time)
        a = projected * (learned / flow.regularized)
        variances.append(prior - 2 * (a * cross).sum(axis=1) + ((a @ covariance) * a).sum(axis=1))
    # Where the variance nearly vanishes, rounding may make it negative.
    return np.maximum(np.array(variances), 0)
