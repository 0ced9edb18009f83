"""How images become inputs: what both sides see.

Images stay bytes until they are used, one batch or tile at a time, in the precision that is asked
for. An image x of p pixels is scaled by the largest pixel value, the mean pixel of the training
set is subtracted if that is asked for, and a *preprocessing* follows.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

__all__ = ["PREPROCESSINGS", "Preprocessing", "scale", "standardized", "unit_norm"]

#: From scaled images of shape (m, p), a NumPy array or, inside a compiled program, a JAX array,
#: inputs of the same kind and shape.
Step: TypeAlias = Callable[[Any], Any]


def scale(scaled: Any) -> Any:
    """The scaled images themselves; the notebook's inputs."""
    return scaled


def unit_norm(scaled: Any) -> Any:
    """Each image times a factor, so that |x|² = p; a blank image stays blank."""
    return _divided(scaled, ((scaled**2).sum(axis=1, keepdims=True) / scaled.shape[1]) ** 0.5)


def standardized(scaled: Any) -> Any:
    """Each image with mean 0 and variance 1 over its pixels; a uniform image becomes 0.

    Source: ``_input_layer_normalization`` of the code of Lee et al. 2018 (arXiv:1711.00165).
    """
    deviations = scaled - scaled.mean(axis=1, keepdims=True)
    # Those of equal pixels are the rounding of their mean, and not 0.
    rounding = 4 * scaled.shape[1] ** 0.5 * np.finfo(scaled.dtype).eps
    pixel, deviation = (abs(array).max(axis=1, keepdims=True) for array in (scaled, deviations))
    return unit_norm(deviations * (deviation > rounding * pixel))


def _divided(images: Any, divisor: Any) -> Any:
    """The quotient; where the divisor is 0, the images are 0 and stay 0."""
    return images / (divisor + (divisor == 0))


#: Preprocessings by their name in the config.
PREPROCESSINGS: Mapping[str, Step] = {
    "scale": scale,
    "unit_norm": unit_norm,
    "standardized": standardized,
}

#: Those that multiply each image by a number.
_FACTORS = (scale, unit_norm)


class Preprocessing(NamedTuple):
    """The function that makes inputs of images, as a value.

    Attributes:
        name: of :data:`PREPROCESSINGS`.
        pixel_max: the largest pixel value.
        mean: the mean pixel that is subtracted, in the same unit.
    """

    name: str
    pixel_max: int
    mean: float = 0.0

    @property
    def proportional(self) -> bool:
        """Whether each input is a multiple of its image."""
        return not self.mean and PREPROCESSINGS[self.name] in _FACTORS

    def __call__(self, images: Any, dtype: Any) -> Any:
        """The inputs of some images.

        Args:
            images: shape (m, p), a NumPy or a JAX array.
            dtype: float32 or float64.

        Returns:
            An array of ``dtype`` and of the same kind and shape.
        """
        scaled = images.astype(dtype) / self.pixel_max
        if self.mean:
            scaled = scaled - dtype(self.mean / self.pixel_max)
        return PREPROCESSINGS[self.name](scaled)
