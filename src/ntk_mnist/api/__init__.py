"""What a notebook calls: the tables and charts of a run, and both sides on arrays of one's own.

Each function checks its arguments, and calls what the commands of the workflow call. The package
offers them by name, as ``ntk_mnist.predict``. None of them changes a setting of JAX: what they need
holds within a call (``compilation.pinned``).
"""
