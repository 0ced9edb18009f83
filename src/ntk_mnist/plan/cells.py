"""Cells: the jobs of an experiment, each a frozen value.

A cell knows its settings and axes, the files that it writes, the record of what would make them
now, and its threads, memory and time. A rule passes it to its command as one JSON word.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from ntk_mnist.data.catalogue import CATALOGUE, Description
from ntk_mnist.data.own import name_of, prepared_as
from ntk_mnist.declarations import declared
from ntk_mnist.measures import OUTPUTS
from ntk_mnist.plan import cost
from ntk_mnist.settings import (
    Architecture,
    Draw,
    Inputs,
    Seed,
    Settings,
    Size,
    Solve,
    Training,
    Width,
)
from ntk_mnist.store.records import UNUSED, Record, make_record, prepared_by
from ntk_mnist.store.schemas import SHARD_SCHEMAS, columns

__all__ = ["Cell", "KernelCell", "NetworkCell", "architecture_key"]

#: What computes the inputs, the programs and the process of every cell.
_SHARED_CODE = (
    "data.inputs.load",
    "compilation.compile_program",
    "runtime.bound_threads",
    "runtime.ignore_settings",
)
_LIBRARIES = ("jax", "jaxlib", "neural-tangents", "numpy", "scipy")


def architecture_key(architecture: Architecture) -> str:
    """The architecture as one word in a path, as in ``relu-depth2-W_std1.0-b_std0.0``."""
    activation, *others = (
        (field.name, getattr(architecture, field.name)) for field in declared(Architecture)
    )
    return "-".join([activation[1], *(f"{name}{value}" for name, value in others)])


def _values(groups: Iterable[Settings]) -> dict[str, Any]:
    return {k: v for group in groups for k, v in msgspec.structs.asdict(group).items()}


class Cell(Struct, frozen=True, kw_only=True):
    """What every cell has: inputs, an architecture and a training-set size.

    ``KIND`` is the name of its rule and command. Its axes and the architecture identify it in its
    grid; ``AXES`` are those that all experiments have. ``CODE`` are the functions that compute it,
    from which the digest of its code follows.
    """

    KIND: ClassVar[str]
    AXES: ClassVar[tuple[str, ...]]
    CODE: ClassVar[tuple[str, ...]]

    inputs: Inputs
    architecture: Architecture
    size: Size
    draw: Draw = 0
    #: Of a dataset of the user's own, as it was when the cell was planned.
    own: Description | None = None

    @property
    def description(self) -> Description:
        """Of its dataset."""
        return self.own or CATALOGUE[self.inputs.dataset]

    @property
    def dataset(self) -> str:
        """The name of its dataset in tables."""
        return name_of(self.inputs.dataset)

    @property
    def prepared(self) -> str:
        """The folder of its dataset's arrays, below that of all prepared arrays."""
        return prepared_as(self.inputs.dataset, self.description)

    @property
    def axes(self) -> dict[str, int]:
        """Its place in its grid, beside the architecture; a draw, if images are drawn."""
        drawn = ("draw",) if self.inputs.draws else ()
        return {axis: getattr(self, axis) for axis in (*self.AXES, *drawn)}

    @property
    def outputs(self) -> tuple[str, ...]:
        """Its Parquet files by the folders in which they are; the first names its log."""
        return tuple(OUTPUTS[self.KIND])

    def pattern(self, output: str) -> str:
        """The path of one output below the results of its experiment, with wildcards.

        Folders are hive partitions. The axes in the name of the file are columns in it too, which
        the names of folders must not be: readers would then disagree about their types.
        """
        axes = ",".join(f"{axis}={{{axis}}}" for axis in self.axes)
        return f"{output}/architecture={{architecture}}/{axes}.parquet"

    @classmethod
    def from_json(cls, text: str) -> "Cell":
        """The cell that ``to_json`` wrote.

        Raises:
            msgspec.ValidationError: the text is not a cell of this kind.
        """
        return msgspec.json.decode(text, type=cls)

    def to_json(self) -> str:
        """The cell as one word."""
        return msgspec.json.encode(self).decode()

    @property
    def key(self) -> dict[str, str]:
        """The values of the wildcards in its paths."""
        axes = {axis: str(value) for axis, value in self.axes.items()}
        return {"architecture": architecture_key(self.architecture), **axes}

    def path(self, output: str) -> str:
        """The path of one output below the results of the experiment."""
        return self.pattern(output).format(**self.key)

    @property
    def identity(self) -> dict[str, Any]:
        """The columns that identify the cell in each of its tables."""
        groups = [group for group in self._groups if not isinstance(group, Solve)]
        unused = dict.fromkeys((*self._unused, "draw"))
        return _values(groups) | {"dataset": self.dataset} | unused | self.axes

    def record(self, output: str) -> Record:
        """What would make one output now."""
        used = _values(self._groups) | dict.fromkeys(self._unused, UNUSED)
        # Where a file of the user's own lies decides nothing; its content does.
        used |= {"dataset": self.dataset, **self.description.stated}
        settings = msgspec.to_builtins(used | self.axes | self._more_settings)
        return make_record(
            settings,
            (*self._code, prepared_by(self.description.stated), *_SHARED_CODE),
            _LIBRARIES,
            columns(SHARD_SCHEMAS[output]),
            self._choices | self._more_choices,
        )

    @property
    def _code(self) -> tuple[str, ...]:
        return self.CODE

    @property
    def _groups(self) -> tuple[Settings, ...]:
        return tuple(v for v in msgspec.structs.astuple(self) if isinstance(v, Settings))

    @property
    def _unused(self) -> frozenset[str]:
        """Its settings that change nothing beside the others."""
        return frozenset()

    @property
    def _choices(self) -> dict[str, str]:
        """The entries in use of all registries that its settings name."""
        return {
            field.choices: getattr(group, field.name)
            for group in self._groups
            for field in declared(type(group))
            # A dataset of the user's own is in no registry.
            if field.choices and not field.many and not (field.may_be_path and self.own)
        }

    @property
    def _more_settings(self) -> dict[str, Any]:
        """What decides its bits beside its settings."""
        return {"threads": self.threads}

    @property
    def _more_choices(self) -> dict[str, str]:
        return {}

    @property
    def _predicted(self) -> int:
        """Test and validation images."""
        return self.inputs.test_size + self.inputs.validation_size

    @property
    def _pixels(self) -> int:
        return self.description.pixels

    @property
    def threads(self) -> int:
        """Threads of its process."""
        raise NotImplementedError

    @property
    def cluster_threads(self) -> int:
        """Threads that it requests from a cluster."""
        return self.threads

    @property
    def memory_mb(self) -> int:
        """Upper bound on its peak memory, MB."""
        raise NotImplementedError

    @property
    def seconds(self) -> float:
        """Generous estimate of its wall time."""
        raise NotImplementedError


class NetworkCell(Cell, frozen=True, kw_only=True):
    """Finite networks of one width and training-set size; its shard has one row a seed.

    The seeds are not part of its record: a shard is current if it holds them, beside others.
    """

    KIND = "network"
    AXES = ("width", "size")
    CODE = ("networks.training.Trainer",)
    CODE_AT_TIMES = ("networks.descent.DescentTrainer", "kernels.limit.limit_of_descent")

    training: Training
    width: Width
    seeds: tuple[Seed, ...]
    #: Gradient-flow times at which the networks are evaluated; none if they are trained by epochs.
    times: tuple[float, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Predictions are those at times."""
        return super().outputs if self.times else ("network",)

    @property
    def threads(self) -> int:
        """Threads of its process; a function of the width alone."""
        return cost.network_threads(self.width)

    @property
    def memory_mb(self) -> int:
        """Upper bound on its peak memory, MB."""
        return cost.network_memory_mb(
            self.width,
            self.architecture.depth,
            self.size,
            self._pixels,
            self._batch,
            outputs=self.description.outputs,
            pixel_bytes=self.description.pixel_bytes,
            adam=self.training.optimizer == "adam",
            linearized=self.training.linearized,
        )

    @property
    def seconds(self) -> float:
        """Generous estimate of its wall time."""
        # With a partial batch, its padding takes time too.
        images = self.size + (-self.size % self._batch) * self.training.has_partial_batch
        return cost.network_seconds(
            self.width,
            self.architecture.depth,
            images,
            self._pixels,
            self.epochs,
            len(self.seeds),
            outputs=self.description.outputs,
            linearized=self.training.linearized,
        )

    @property
    def _batch(self) -> int:
        """Images of a step, with the padding of a partial batch."""
        if "batch_size" in self.training.unused:
            return self.size
        return min(self.training.batch_size, cost.largest_batch(self.size))

    @property
    def epochs(self) -> int:
        """Passes over the training images."""
        if not self.times:
            return self.training.epochs
        return round(max(self.times) / self.training.step_size)

    @property
    def _unused(self) -> frozenset[str]:
        return self.training.unused

    @property
    def _code(self) -> tuple[str, ...]:
        return self.CODE_AT_TIMES if self.times else self.CODE

    @property
    def _more_settings(self) -> dict[str, Any]:
        times = {"times": sorted(self.times)} if self.times else {}
        return {"threads": self.threads} | times

    @property
    def _more_choices(self) -> dict[str, str]:
        # The kernels that a network at times is compared with at its start.
        dual = {"infinite_width.duals.DUALS": self.architecture.activation}
        return dual if self.times else {}


class KernelCell(Cell, frozen=True, kw_only=True):
    """The infinite-width kernels at one training-set size."""

    KIND = "kernel"
    AXES = ("size",)
    CODE = ("kernels.cell.solve_cell",)

    solve: Solve
    #: Of gradient descent to each finite time; 0 for gradient flow.
    step_size: float = 0.0

    @property
    def solver(self) -> str:
        """How it is solved, by its size."""
        return cost.kernel_solver(self.size)

    @property
    def threads(self) -> int:
        """Threads of its process; an exact solve takes all that there are."""
        return cost.kernel_threads(self.size)

    @property
    def cluster_threads(self) -> int:
        """Threads that it requests from a cluster."""
        return cost.kernel_cluster_threads(self.size)

    @property
    def memory_mb(self) -> int:
        """Upper bound on its peak memory, MB."""
        kinds = len(self.solve.kinds)
        outputs = self.description.outputs
        return cost.kernel_memory_mb(self.size, self._predicted, kinds, self._pixels, outputs)

    @property
    def seconds(self) -> float:
        """Generous estimate of its wall time."""
        return cost.kernel_seconds(
            self.size,
            self._predicted,
            len(self.solve.kinds),
            self.architecture.depth,
            self._pixels,
            self.architecture.activation,
        )

    @property
    def _more_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "kinds": sorted(self.solve.kinds),
            "times": sorted(self.solve.times),
            "solver": self.solver,
        }
        if self.step_size:
            settings["step_size"] = self.step_size
        # An exact solve is refined to a residual, whatever its threads.
        return settings | ({"threads": self.threads} if self.solver == "spectral" else {})

    @property
    def _more_choices(self) -> dict[str, str]:
        return {
            "kernels.solvers.SOLVERS": self.solver,
            "infinite_width.duals.DUALS": self.architecture.activation,
        }
