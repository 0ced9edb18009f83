"""How good predictions are: accuracy and mean squared error."""

from ntk_mnist.kernels.solution import Matrix

__all__ = ["accuracy", "mean_squared_error"]


def accuracy(predictions: Matrix, targets: Matrix) -> float:
    """Fraction of rows whose largest prediction is the largest target; both of shape (m, k)."""
    return float((predictions.argmax(axis=1) == targets.argmax(axis=1)).mean())


def mean_squared_error(predictions: Matrix, targets: Matrix) -> float:
    """Mean over rows and outputs of the squared difference; both of shape (m, k)."""
    return float(((predictions - targets) ** 2).mean())
