"""Finite neural networks beside their infinite-width limits, on real images.

Data flows one way: ``data`` → cells (``networks``, ``kernels``) → tables (``store``) → ``charts``.
Importing the package imports none of them, so that a job loads only what it uses.

In a notebook, ``import ntk_mnist as ntk`` has the functions of ``api``: each is imported when it is
first used.
"""

__all__ = [
    "Architecture",
    "TrainedNetwork",
    "UserError",
    "figure",
    "kernel",
    "predict",
    "read_table",
    "train",
]

#: The modules of the names that are imported when they are first used.
_MODULES = {
    "Architecture": "ntk_mnist.settings",
    "TrainedNetwork": "ntk_mnist.api.networks",
    "figure": "ntk_mnist.api.results",
    "kernel": "ntk_mnist.api.kernels",
    "predict": "ntk_mnist.api.kernels",
    "read_table": "ntk_mnist.api.results",
    "train": "ntk_mnist.api.networks",
}


class UserError(Exception):
    """A fault that a person can mend; the command line prints it in one line, without traceback."""


def __dir__() -> list[str]:
    """What is defined or imported already, and the public names."""
    return sorted({*globals(), *__all__})


# Type checkers take this name for true. That of `typing` would import it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ntk_mnist.api.kernels import kernel, predict
    from ntk_mnist.api.networks import TrainedNetwork, train
    from ntk_mnist.api.results import figure, read_table
    from ntk_mnist.settings import Architecture
else:

    def __getattr__(name: str) -> object:
        """A public name, imported when it is first used (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        globals()[name] = getattr(import_module(_MODULES[name]), name)
        return globals()[name]
