"""An experiment: the grids of cells that a config asks for, and the tables of their shards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from itertools import product
from math import inf
from typing import Any, NamedTuple

import msgspec

from ntk_mnist import UserError
from ntk_mnist.data.catalogue import CATALOGUE, Description
from ntk_mnist.data.own import describe
from ntk_mnist.declarations import declared
from ntk_mnist.measures import COMPARISONS, OUTPUTS, Measures
from ntk_mnist.plan.cells import Cell, KernelCell, NetworkCell
from ntk_mnist.plan.config import complete
from ntk_mnist.settings import Architecture, Inputs, Settings, Solve, Training

__all__ = ["TABLES", "Experiment", "Group", "Table", "experiment_of"]


class Table(NamedTuple):
    """A table of shards.

    Attributes:
        cells: whose shards, by the name of a property of :class:`Experiment`.
        output: the cells' output that it gathers.
        order: columns that its rows are sorted by, each ``ascending`` or ``descending``.
        only: by column, the values whose rows it takes; seeds are those of the grid.
    """

    cells: str
    output: str
    order: tuple[tuple[str, str], ...]
    only: Mapping[str, Sequence[Any]] = {}


_ARCHITECTURE = Architecture.__struct_fields__


def _ordered(measures: type[Measures]) -> Iterator[str]:
    """The columns that a table is sorted by; draws of one size are beside each other."""
    for column in measures.ORDER:
        yield from (column, "draw") if column == "size" else (column,)


_CELLS = {"network": "networks", "kernel": "kernels"}

#: The tables by their name: one of each output of a cell, and the evidence.
TABLES: Mapping[str, Table] = {
    **{
        output: Table(
            _CELLS[kind],
            output,
            tuple((column, "ascending") for column in (*_ARCHITECTURE, *_ordered(measures))),
        )
        for kind, outputs in OUTPUTS.items()
        for output, measures in outputs.items()
        if measures.TABULATED
    },
    # The likeliest architecture first.
    "evidence": Table(
        "evidence",
        "kernel",
        (
            *(("kernel", "ascending"), ("size", "ascending")),
            ("maximized_log_marginal_likelihood", "descending"),
        ),
        {"time": [inf]},
    ),
}


class Group(Settings, frozen=True, kw_only=True):
    """Architectures that run at the same sizes, and their networks at the same widths."""

    architectures: tuple[Architecture, ...]
    sizes: tuple[int, ...]
    widths: tuple[int, ...]
    draws: tuple[int, ...]


class Experiment(Settings, frozen=True, kw_only=True):
    """A checked config as values: every axis is a tuple."""

    name: str
    inputs: Inputs
    groups: tuple[Group, ...]
    seeds: tuple[int, ...]
    training: Training
    solve: Solve
    evidence_architectures: tuple[Architecture, ...]
    evidence_sizes: tuple[int, ...]
    published: str
    batch_minutes: float
    #: Of a dataset of the user's own, as it is when the experiment is planned.
    own: Description | None = None

    @classmethod
    def from_json(cls, text: str) -> "Experiment":
        """The experiment that ``to_json`` wrote."""
        return msgspec.json.decode(text, type=cls)

    def to_json(self) -> str:
        """The experiment as one word."""
        return msgspec.json.encode(self).decode()

    def decisive_json(self) -> str:
        """What decides its tables, as JSON.

        Without the evidence, settings that change nothing, and where the data of a user lies.
        """
        training = {field.name: field.default for field in declared(Training)}
        unused = {name: training[name] for name in self.training.unused}
        drawn = {} if self.inputs.draws else {"draws": (0,)}
        decisive = msgspec.structs.replace(
            self,
            inputs=msgspec.structs.replace(self.inputs, dataset=self.dataset),
            training=msgspec.structs.replace(self.training, **unused),
            groups=tuple(msgspec.structs.replace(group, **drawn) for group in self.groups),
            evidence_architectures=(),
            evidence_sizes=(),
            batch_minutes=0.0,
        )
        return decisive.to_json()

    @property
    def description(self) -> Description:
        """Of its dataset."""
        return self.kernels[0].description

    @property
    def dataset(self) -> str:
        """The name of its dataset in tables."""
        return self.kernels[0].dataset

    @property
    def prepared(self) -> str:
        """The folder of its dataset's arrays, below that of all prepared arrays."""
        return self.kernels[0].prepared

    @property
    def networks(self) -> list[NetworkCell]:
        """The cells of the grid of networks."""
        return _networks(self)

    @property
    def kernels(self) -> list[KernelCell]:
        """The cells of the grid of kernels."""
        step_size = self.training.step_size if self.training.like_for_like else 0.0
        places = [
            place
            for group in self.groups
            for place in product(group.architectures, group.sizes, group.draws)
        ]
        return _kernels(self, tuple(dict.fromkeys(places)), step_size)

    @property
    def evidence(self) -> list[KernelCell]:
        """Kernel cells of further architectures; some may be in the grid of kernels too.

        Of several draws of training images, the first.
        """
        in_grid = {tuple(cell.key.values()): cell for cell in self.kernels}
        draw = self.groups[0].draws[0]
        places = product(self.evidence_architectures, self.evidence_sizes, (draw,))
        cells = _kernels(self, tuple(places), 0.0)
        return [in_grid.get(tuple(cell.key.values()), cell) for cell in cells]

    def cell(self, kind: str, key: Sequence[str]) -> Cell:
        """The cell of a kind by the values of the wildcards in its paths.

        Raises:
            UserError: no grid has it.
        """
        cells = _by_key(self)
        if (kind, *key) not in cells:
            raise UserError(
                f"the {kind} cell {', '.join(key)} is not in the grid; add its values to the config"
            )
        return cells[kind, *key]

    def values(self, wildcard: str) -> list[str]:
        """The values of a wildcard over all cells."""
        keys = (cell.key for cell in _by_key(self).values())
        return sorted({key[wildcard] for key in keys if wildcard in key})

    @property
    def tables(self) -> list[str]:
        """The names of its tables; the evidence is made if it is asked for.

        Without networks, there is none of networks.
        """
        comparisons = COMPARISONS if self.training.like_for_like and self.networks else ()
        asked_for = ("evidence",) if self.networks else ("evidence", "network")
        reproduced = ("reproduction",) if self.published else ()
        return [*(name for name in TABLES if name not in asked_for), *comparisons, *reproduced]

    @property
    def reproduced(self) -> list[str]:
        """The tables that published numbers are compared with."""
        return [name for name in ("network", "kernel") if name in self.tables]

    def shards(self, table: str) -> list[tuple[str, Cell]]:
        """The shards of a table, each with its cell, by their paths below the results."""
        if table == "reproduction":
            return [shard for name in self.reproduced for shard in self.shards(name)]
        if table in COMPARISONS:
            networks: list[Cell] = [*self.networks]
            kernels: list[Cell] = [*self.kernels]
            return [
                *((c.path(output), c) for c in networks for output in c.outputs),
                *((c.path(o), c) for c in kernels for o in ("kernel", "kernel_prediction")),
            ]
        output = TABLES[table].output
        return [(cell.path(output), cell) for cell in getattr(self, TABLES[table].cells)]

    def only(self, table: str) -> dict[str, Sequence[Any]]:
        """By column, the values whose rows a table takes."""
        if table in COMPARISONS:
            return {"seed": self.seeds}
        seeds = {"seed": self.seeds} if TABLES[table].cells == "networks" else {}
        return dict(TABLES[table].only) | seeds


@cache
def _by_key(experiment: Experiment) -> dict[tuple[str, ...], Cell]:
    cells = (*experiment.evidence, *experiment.kernels, *experiment.networks)
    return {(cell.KIND, *cell.key.values()): cell for cell in cells}


@cache
def _networks(experiment: Experiment) -> list[NetworkCell]:
    places = [
        place
        for group in experiment.groups
        for place in product(group.architectures, group.widths, group.sizes, group.draws)
    ]
    return [
        NetworkCell(
            inputs=experiment.inputs,
            architecture=architecture,
            training=experiment.training,
            width=width,
            size=size,
            draw=draw,
            own=experiment.own,
            seeds=experiment.seeds,
            times=experiment.solve.times if experiment.training.like_for_like else (),
        )
        for architecture, width, size, draw in dict.fromkeys(places)
    ]


@cache
def _kernels(
    experiment: Experiment,
    places: tuple[tuple[Architecture, int, int], ...],
    step_size: float,
) -> list[KernelCell]:
    return [
        KernelCell(
            inputs=experiment.inputs,
            architecture=architecture,
            solve=experiment.solve,
            step_size=step_size,
            size=size,
            draw=draw,
            own=experiment.own,
        )
        for architecture, size, draw in places
    ]


def experiment_of(config: Mapping[str, Any]) -> Experiment:
    """The experiment of a config in which ``plan.config.problems`` finds none.

    Raises:
        DatasetError: a file of the user's own changed meanwhile, and is no dataset any more.
    """
    config = complete(config)
    dataset = config["inputs"]["dataset"]
    grid, evidence = config["grid"], config["evidence"]
    groups = config["architecture"]
    # What evidence does not vary is that of the architectures.
    activations = dict.fromkeys(a for group in groups for a in group["activation"])
    compared = {"activation": [*activations]} | {k: v for k, v in evidence.items() if k != "size"}
    values = {
        "name": config["experiment"],
        "inputs": config["inputs"],
        "groups": [
            {
                "architectures": list(
                    _combinations({k: group[k] for k in Architecture.__struct_fields__})
                ),
                "sizes": group["size"],
                "widths": group["width"],
                "draws": group["draw"],
            }
            for group in groups
        ],
        "seeds": grid["seed"],
        "training": config["training"],
        "solve": config["solve"],
        "evidence_architectures": list(_combinations(compared)),
        "evidence_sizes": evidence["size"],
        "published": config["published"],
        "batch_minutes": config["batch_minutes"],
        "own": None if dataset in CATALOGUE else asdict(describe(dataset)),
    }
    return msgspec.convert(values, Experiment)


def _combinations(axes: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))
