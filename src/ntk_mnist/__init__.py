"""Finite neural networks beside their infinite-width limits, on real images.

Data flows one way: ``data`` → cells (``networks``, ``kernels``) → tables (``store``) → ``charts``.
Importing the package imports none of them, so that a job loads only what it uses.
"""


class UserError(Exception):
    """A fault that a person can mend; the command line prints it in one line, without traceback."""
