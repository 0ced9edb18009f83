"""Settings of JAX that a test changes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax


@contextmanager
def settings_of_jax(settings: Mapping[str, Any]) -> Iterator[None]:
    """Settings of JAX that hold within a block."""
    before = {name: getattr(jax.config, name) for name in settings}
    try:
        for name, value in settings.items():
            jax.config.update(name, value)
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
