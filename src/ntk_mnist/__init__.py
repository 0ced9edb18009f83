"""Finite neural networks beside their infinite-width limits, on real images.

Data flows one way: ``datasets`` → cells (``network``, ``kernel`` +
``gradient_flow``) → ``tables`` → ``charts``. Importing the package imports none of
them, so that a job pays only for what it uses.
"""


class UserError(Exception):
    """What a person can mend: the command line tells it in one line, without a traceback."""
