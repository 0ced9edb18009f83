"""Any cell: strategies that follow the declared settings."""

import sys
from typing import Any

from hypothesis import strategies as st

from ntk_mnist.declarations import Field, declared
from ntk_mnist.plan.cells import KernelCell, NetworkCell
from ntk_mnist.registries import names_in
from ntk_mnist.settings import Architecture, Grid, Inputs, Settings, Solve, Training


def values(field: Field) -> st.SearchStrategy[Any]:
    """Any value that is allowed of a setting; of a list, of one of its items."""
    bounds: Any = field.bounds
    if field.choices:
        return st.sampled_from(names_in(field.choices))
    if field.type is bool:
        return st.booleans()
    if field.type is int:
        return st.integers(bounds.ge, bounds.le)
    lowest, below = (bounds.gt, True) if bounds.gt is not None else (bounds.ge, False)
    highest = next((b for b in (bounds.lt, bounds.le) if b is not None), sys.float_info.max)
    return st.floats(
        lowest, highest, exclude_min=below, exclude_max=bounds.lt is not None, allow_nan=False
    )


def settings(group: type[Settings]) -> st.SearchStrategy[Any]:
    """Any settings of a group."""
    strategies = {
        field.name: st.lists(values(field), min_size=1, max_size=4, unique=True).map(tuple)
        if field.many
        else values(field)
        for field in declared(group)
    }
    return st.builds(group, **strategies)


AXES = {field.name: values(field) for field in declared(Grid)}
SEEDS = st.lists(AXES["seed"], min_size=1, max_size=4, unique=True).map(tuple)
NETWORK_CELLS = st.builds(
    NetworkCell,
    inputs=settings(Inputs),
    architecture=settings(Architecture),
    training=settings(Training),
    width=AXES["width"],
    size=AXES["size"],
    seeds=SEEDS,
)
KERNEL_CELLS = st.builds(
    KernelCell,
    inputs=settings(Inputs),
    architecture=settings(Architecture),
    solve=settings(Solve),
    size=AXES["size"],
)
CELLS = NETWORK_CELLS | KERNEL_CELLS

NETWORK = NetworkCell(
    inputs=Inputs(),
    architecture=Architecture(),
    training=Training(),
    width=512,
    size=1024,
    seeds=(0, 1),
)
KERNEL = KernelCell(inputs=Inputs(), architecture=Architecture(), solve=Solve(), size=1024)
