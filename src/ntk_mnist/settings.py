"""Every setting of an experiment, declared once: its type, bounds, default and one sentence.

From these declarations follow the check of the config, its JSON schema, ``config/config.yaml``,
the reference in ``config/README.md`` and the columns of the tables that identify a cell. Settings
are frozen values. This module imports neither JAX nor pandas nor Snakemake, as Snakemake imports
it when it plans.

A setting that names an entry of a registry says which registry (``choices``); the names
themselves are declared there alone.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from ntk_mnist.registries import names_in

__all__ = [
    "AXES",
    "OWN_AXES",
    "Activation",
    "Architecture",
    "BStd",
    "Config",
    "Depth",
    "Draw",
    "Evidence",
    "Grid",
    "Inputs",
    "Seed",
    "Settings",
    "Size",
    "Solve",
    "Training",
    "WStd",
    "Width",
]

_LARGEST_COUNT = 2**31 - 1
#: The path of a file or folder, which no name in a registry looks like. Snakemake would take
#: braces for wildcards.
_PATH = {
    "pattern": r"^(?!-)(?=[^\n]*(/|\.npz$))[^\x00-\x1f{}]+$(?!\n)",
    "patternErrorMessage": "the path of an .npz file, or of a folder with a /, without braces",
}


def _setting(
    description: str,
    *,
    choices: str = "",
    pattern_words: str = "",
    may_be_unused: bool = False,
    may_be_path: bool = False,
    **bounds: Any,
) -> Meta:
    """What is declared of a setting.

    Args:
        description: one sentence, without its subject.
        choices: the registry whose names are allowed.
        pattern_words: what the bound ``pattern`` allows, in words.
        may_be_path: whether the path of a file or folder is allowed beside these names.
        may_be_unused: whether other settings may make it change nothing (``Training.unused``).
        bounds: of msgspec.Meta.
    """
    if pattern_words:
        # Editors know this keyword too.
        bounds["extra_json_schema"] = {"patternErrorMessage": pattern_words}
    if may_be_unused:
        bounds["extra"] = {"may_be_unused": True}
    if choices:
        names = {"enum": list(names_in(choices))}
        bounds["extra_json_schema"] = {"anyOf": [names, _PATH]} if may_be_path else names
        more = {"choices": choices} | ({"may_be_path": True} if may_be_path else {})
        bounds["extra"] = bounds.get("extra", {}) | more
    return Meta(description=description, **bounds)


Activation = Annotated[
    str, _setting("nonlinearity of the hidden layers", choices="architecture.ACTIVATIONS")
]
Depth = Annotated[int, _setting("number of hidden layers", ge=1, le=1000)]
WStd = Annotated[float, _setting("standard deviation of the weights, times √fan_in", gt=0)]
BStd = Annotated[float, _setting("standard deviation of the biases; 0 for no bias", ge=0)]
Width = Annotated[int, _setting("units of each hidden layer", ge=1, le=_LARGEST_COUNT)]
Size = Annotated[
    int,
    _setting(
        "training-set size: so many training images, chosen by inputs.selection",
        ge=1,
        le=_LARGEST_COUNT,
    ),
]
Draw = Annotated[
    int,
    _setting(
        "seed of the draw of training images; for inputs.selection drawn_of_each_class",
        may_be_unused=True,
        ge=0,
        le=2**32 - 1,
    ),
]
Seed = Annotated[
    int, _setting("seed of the initial parameters and of the order of batches", ge=0, le=2**32 - 1)
]


_Source = Annotated[
    str,
    _setting(
        "a folder, or the http(s) address of one",
        pattern=r"^[^-\x00-\x1f][^\x00-\x1f]*$(?!\n)",
        pattern_words="a folder or an http(s):// address, in one line, that does not begin with -",
    ),
]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings; one section of the config each."""


class Inputs(Settings, frozen=True, kw_only=True):
    """What both sides see."""

    dataset: Annotated[
        str,
        _setting(
            "name of the dataset; or the path of your own, an .npz file or a folder of .npy files "
            "with x_train, y_train, x_test and y_test, relative to where snakemake runs",
            choices="data.catalogue.CATALOGUE",
            may_be_path=True,
        ),
    ] = "mnist"
    test_size: Annotated[
        int, _setting("the first so many test images", ge=1, le=_LARGEST_COUNT)
    ] = 1000
    held_out: Annotated[
        int,
        _setting(
            "the first so many training images are held out: nothing is trained on them",
            ge=0,
            le=_LARGEST_COUNT,
        ),
    ] = 0
    validation_size: Annotated[
        int,
        _setting(
            "the first so many held-out images are predicted too, to choose architectures by",
            ge=0,
            le=_LARGEST_COUNT,
        ),
    ] = 0
    selection: Annotated[
        str,
        _setting(
            "which training images are used, of those that are not held out: first, in file order; "
            "first_of_each_class, as many of each class (of the first ones, one more, if the "
            "size is not a multiple); or drawn_of_each_class, as many of each "
            "class at random, a draw for each of grid.draw",
            choices="data.selection.SELECTIONS",
        ),
    ] = "first"
    subtract_mean: Annotated[
        bool,
        _setting(
            "whether the mean pixel, one number over all training images that are not held out, is "
            "subtracted before the preprocessing"
        ),
    ] = False
    preprocessing: Annotated[
        str,
        _setting(
            "how pixels, divided by the largest pixel value, become inputs: scale, as they are; "
            "unit_norm, each image times a factor such that |x|² is the number of pixels; or "
            "standardized, each image with mean 0 and variance 1",
            choices="data.preprocessing.PREPROCESSINGS",
        ),
    ] = "scale"
    targets: Annotated[
        str,
        _setting(
            "what outputs are trained towards under the squared error: one_hot; zero_sum, less 1 / "
            "classes; or zero_mean, less the mean over the training images. Real-valued targets "
            "are one_hot, as they are, or zero_mean",
            choices="data.targets.TARGETS",
        ),
    ] = "one_hot"

    @property
    def draws(self) -> bool:
        """Whether training images are drawn at random."""
        return self.selection == "drawn_of_each_class"


class Architecture(Settings, frozen=True, kw_only=True):
    """The network of both sides; each is a value or a list, and every combination runs.

    A list of such groups runs each of them. A group may have a `size`, a `width` and a `draw` of
    its own in place of those of `grid`.
    """

    activation: Activation = "relu"
    depth: Depth = 2
    W_std: WStd = 1.0
    b_std: BStd = 0.0


class Training(Settings, frozen=True, kw_only=True):
    """How a finite network is drawn and trained."""

    parameterization: Annotated[
        str,
        _setting(
            "how parameters are drawn: glorot (the notebook's: Glorot-normal weights, biases of "
            "standard deviation 0.01), glorot_uniform (that of Keras's Dense: Glorot-uniform "
            "weights, biases of 0), standard (weights W_std / √fan_in, biases b_std) or ntk (the "
            "same function at initialization, trained in NTK parameterization); with glorot and "
            "glorot_uniform, W_std and b_std set the infinite side alone",
            choices="architecture.PARAMETERIZATIONS",
        ),
    ] = "glorot"
    partitionable_threefry: Annotated[
        bool,
        _setting(
            "whether the initial parameters are drawn by JAX's threefry generator as it is since "
            "JAX 0.5; false draws the numbers of older versions, with which the notebook's "
            "published networks come out again"
        ),
    ] = True
    loss: Annotated[
        str,
        _setting(
            "the loss: cross_entropy (the notebook's) or squared_error (the kernels' own, the mean "
            "over images and outputs of half the squared difference from the targets). Keras's "
            "mse is twice that: sgd, momentum and nesterov take its steps at twice its step size, "
            "adam at the same one, but for its ε",
            choices="networks.losses.LOSSES",
        ),
    ] = "cross_entropy"
    centred: Annotated[
        bool,
        _setting(
            "whether the network is its function minus that at initialization, so that it starts "
            "at zero as the kernels' mean prediction does"
        ),
    ] = False
    linearized: Annotated[
        bool,
        _setting(
            "whether the network's linearization at its initial parameters is trained beside it; "
            "for gradient descent on the squared error in ntk parameterization"
        ),
    ] = False
    optimizer: Annotated[
        str,
        _setting(
            "optimizer; adam is Keras's, with β₁ 0.9, β₂ 0.999 and ε 1e-7, its ε̂ of Kingma and Ba "
            "(2015). gradient_descent takes steps on all training images, without batches and "
            "momentum. On the squared error in ntk parameterization a step of it is a "
            "gradient-flow time of step_size: networks are then evaluated at solve.times, and the "
            "kernels take the same steps",
            choices="networks.training.OPTIMIZERS",
        ),
    ] = "momentum"
    step_size: Annotated[float, _setting("step size of the optimizer", gt=0)] = 0.001
    mass: Annotated[
        float,
        _setting("mass of momentum and nesterov; others ignore it", may_be_unused=True, ge=0, lt=1),
    ] = 0.9
    epochs: Annotated[
        int,
        _setting(
            "passes over the training images; networks that are evaluated at solve.times are "
            "trained up to the largest of these",
            may_be_unused=True,
            ge=1,
            le=_LARGEST_COUNT,
        ),
    ] = 20
    until_train_accuracy: Annotated[
        float,
        _setting(
            "training by epochs ends after the first one with this train accuracy, and epochs is "
            "the limit; 0 for no such end",
            may_be_unused=True,
            ge=0,
            le=1,
        ),
    ] = 0.0
    until_train_loss: Annotated[
        float,
        _setting(
            "training by epochs also ends at this mean train loss; 0 for no such end",
            may_be_unused=True,
            ge=0,
        ),
    ] = 0.0
    batch_size: Annotated[
        int,
        _setting(
            "images a step, at most the smallest training-set size unless last_batch is partial; "
            "gradient_descent ignores it",
            may_be_unused=True,
            ge=1,
            le=_LARGEST_COUNT,
        ),
    ] = 64
    last_batch: Annotated[
        str,
        _setting(
            "what becomes of images left over after whole batches: dropped (the notebook's: they "
            "sit out the epoch) or partial (Keras's: a smaller last batch, whose loss is the mean "
            "over its own images); gradient_descent ignores it",
            choices="networks.training.LAST_BATCHES",
            may_be_unused=True,
        ),
    ] = "dropped"

    @property
    def has_end(self) -> bool:
        """Whether training by epochs may end before the last one."""
        return self.until_train_accuracy > 0 or self.until_train_loss > 0

    @property
    def has_partial_batch(self) -> bool:
        """Whether images left over after whole batches are a smaller batch."""
        return self.last_batch == "partial" and self.optimizer != "gradient_descent"

    @property
    def unused(self) -> frozenset[str]:
        """Settings that change nothing beside the others.

        They run nothing again, and a row of a table has null for them.
        """
        names = set()
        if self.optimizer not in ("momentum", "nesterov"):
            names.add("mass")
        if self.optimizer == "gradient_descent":
            names |= {"batch_size", "last_batch"}
        if self.like_for_like:
            names |= {"epochs", "until_train_accuracy", "until_train_loss"}
        return frozenset(names)

    @property
    def like_for_like(self) -> bool:
        """Whether networks follow the kernels' own dynamics, so that what differs is width."""
        return (self.parameterization, self.loss, self.optimizer) == (
            *("ntk", "squared_error", "gradient_descent"),
        )


class Solve(Settings, frozen=True, kw_only=True):
    """How the infinite-width kernels are solved."""

    kinds: Annotated[
        tuple[Annotated[str, _setting("kernel", choices="infinite_width.recursion.KINDS")], ...],
        _setting("kernels: nngp, ntk or both", min_length=1),
    ] = ("nngp", "ntk")
    times: Annotated[
        tuple[Annotated[float, Meta(gt=0)], ...],
        _setting(
            "gradient-flow times, in units of 1 / learning rate; ∞ is always added. If networks "
            "are evaluated at them, each is a whole number of training.step_size"
        ),
    ] = (10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7)
    diag_reg: Annotated[
        float,
        _setting(
            "added to the diagonal of the training Gram matrix, in units of its mean; raised where "
            "the matrix is singular to working precision, and the tables report the value in use",
            ge=0,
        ),
    ] = 0.0


class Grid(Settings, frozen=True, kw_only=True):
    """The grid of cells; each is a value or a list.

    With an empty list of widths, kernels run without networks.
    """

    size: tuple[Size, ...] = (64, 128, 256, 512, 1024, 2048)
    width: tuple[Width, ...] = (64, 128, 256, 512, 1024, 2048)
    seed: tuple[Seed, ...] = (0,)
    draw: tuple[Draw, ...] = (0,)


class Evidence(Settings, frozen=True, kw_only=True):
    """Kernel cells whose log marginal likelihoods are compared; each is a value or a list.

    `snakemake evidence` solves them, and lists, draws and names the likeliest architecture, each
    kernel at its best amplitude and without a test image. With `inputs.validation_size` it also
    names the one with the best validation accuracy, and the test accuracy of both; without, the
    likelihood alone chooses. The activation is that of `architecture`.
    """

    size: tuple[Size, ...] = (1024,)
    depth: tuple[Depth, ...] = (1, 2, 3)
    W_std: tuple[WStd, ...] = (1.0, 1.25, 1.5, 2.0)
    b_std: tuple[BStd, ...] = (0.0, 0.3, 1.0)


class Config(Settings, frozen=True, kw_only=True):
    """A whole config: one experiment."""

    experiment: Annotated[
        str,
        _setting(
            "names the folder results/<experiment>/; letters, digits, _ and -",
            max_length=100,
            # Without the last group, $ would let a final line break pass.
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)",
            pattern_words="letters A-Z and a-z, digits, _ and -, the first a letter or a digit",
        ),
    ] = "ntk_mnist"
    inputs: Inputs = Inputs()
    grid: Grid = Grid()
    architecture: Architecture = Architecture()
    training: Training = Training()
    solve: Solve = Solve()
    evidence: Evidence = Evidence()
    published: Annotated[
        str,
        _setting(
            "a file of published numbers that the results are set beside, as those in "
            "config/published/, relative to where snakemake runs; none if empty"
        ),
    ] = ""
    batch_minutes: Annotated[
        float,
        _setting(
            "on a cluster, small cells share a submission up to so many minutes of estimated work",
            gt=0,
        ),
    ] = 10.0
    sources: Annotated[
        dict[str, tuple[_Source, ...]],
        _setting(
            "where the original files of a dataset are, in the order in which they are tried: "
            "folders, relative to where snakemake runs, and http(s) addresses of folders; for a "
            "dataset that is not named here, these"
        ),
    ] = {}


#: Axes of the grid that a group of architectures may have of its own.
OWN_AXES = ("size", "width", "draw")

#: Sections whose settings may be one value or a list of values.
AXES: tuple[type[Settings], ...] = (Architecture, Grid, Evidence)
