"""Whether values that a person passes are what the config allows, said in the config's words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ntk_mnist import UserError
from ntk_mnist.plan.config import problems
from ntk_mnist.settings import Architecture, Training

__all__ = ["checked", "checked_architecture", "checked_times", "checked_training"]


def checked(**sections: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The same values by section of the config, NumPy's numbers as Python's.

    Raises:
        UserError: a value is not allowed; one line that names it and what is allowed.
    """
    config = {name: {k: _plain(v) for k, v in values.items()} for name, values in sections.items()}
    for fault in problems(config):
        # An argument has the name of its setting; a kind is one of `kinds`.
        raise UserError(re.sub(r"^\w+\.", "", fault).replace("kinds[0]", "kind"))
    return config


def checked_architecture(architecture: Architecture) -> Architecture:
    """The same architecture, in Python's numbers.

    Raises:
        UserError: a value is not allowed; one line that names it and what is allowed.
    """
    if not isinstance(architecture, Architecture):
        raise UserError(
            f"architecture is of the type {type(architecture).__name__}; needed: "
            'ntk_mnist.Architecture(activation="relu", depth=2, W_std=1.0, b_std=0.0)'
        )
    values = checked(architecture=msgspec.structs.asdict(architecture))["architecture"]
    for name, value in values.items():
        if isinstance(value, list | tuple):
            raise UserError(f"{name}: {value} is a list; an architecture has one value")
    return Architecture(**values)


def checked_times(times: Sequence[float]) -> Sequence[float]:
    """Times, at least one.

    Raises:
        UserError: there is none, or they are not a list.
    """
    if isinstance(times, (int, float)):
        raise UserError(f"times: {times} is not a list; give a list of times, as [{times}]")
    if len(times) == 0:
        raise UserError("times: the list is empty; give a time, as [100]")
    return times


def checked_training(
    times: Sequence[float], step_size: float, *, centred: bool = True, linearized: bool = False
) -> Training:
    """Training by the kernels' own steps, up to times.

    Raises:
        UserError: a value is not allowed, or a time is not a whole number of steps.
    """
    training = {
        "parameterization": "ntk",
        "loss": "squared_error",
        "optimizer": "gradient_descent",
        "step_size": step_size,
        "centred": centred,
        "linearized": linearized,
    }
    return Training(
        **checked(training=training, solve={"times": list(checked_times(times))})["training"]
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value
