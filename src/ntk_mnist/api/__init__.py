"""What a notebook calls: the tables and charts of a run, and both sides on arrays of one's own.

Each function checks its arguments, and calls what the commands of the workflow call. The package
offers them by name: ``ntk_mnist.predict``. They change no setting of JAX, not even for a moment in
another thread.
"""
