"""Code counts by what it computes, not by how it is written: the rules, a case each.

A case is two packages. A line ``--- path`` begins a file; what comes before is ``m.py``. The entry
is ``m.f``.
"""

import json
import textwrap
import time
from itertools import count
from pathlib import Path

import pytest

import ntk_mnist
from ntk_mnist.store.code.source import read_sources
from ntk_mnist.store.code_digest import Code, changed_definitions, code_in, code_of

_FOLDERS = count()


def digested(
    folder: Path,
    source: str,
    entries: tuple[str, ...] = ("m.f",),
    choices: tuple[tuple[str, str], ...] = (),
) -> Code:
    """The code of a package that is written out."""
    package = folder / str(next(_FOLDERS)) / "pack"
    files = {"m.py": ""}
    name = "m.py"
    for line in textwrap.dedent(source).strip("\n").splitlines(keepends=True):
        if line.startswith("--- "):
            name = line[4:].strip()
            files[name] = ""
        else:
            files[name] += line
    for name, text in files.items():
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return code_of(entries, choices, package=package)


WRITING = {
    "a comment": ("def f(x): return x + 1", "def f(x):\n  # Why.\n  return x + 1"),
    "a docstring": ("def f(x): return x + 1", 'def f(x):\n  """What."""\n  return x + 1'),
    "a docstring of a class": (
        "class A:\n  def __call__(self): return 1\ndef f(): return A()",
        'class A:\n  """What."""\n  def __call__(self): return 1\ndef f(): return A()',
    ),
    "a docstring in place of pass": (
        "class E(Exception): pass\ndef f(): raise E",
        'class E(Exception):\n  """What."""\ndef f(): raise E',
    ),
    "parentheses and line breaks": (
        "def f(x): return x + 1",
        "def f(\n  x,\n):\n  return (x\n    + 1)",
    ),
    "quotes": ("def f(x): return x['a']", 'def f(x): return x["a"]'),
    "the notation of a number": ("def f(x): return x + 1000.0", "def f(x): return x + 1_000.0"),
    "annotations": (
        "from a import T\ndef f(x):\n  y = x\n  return y\n--- a.py\nT = int",
        "from a import T\ndef f(x: 'T') -> T:\n  y: T = x\n  w: T\n  return y\n--- a.py\nT = int",
    ),
    "an annotation of a field": (
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: int = 1\ndef f(): return A()",
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: 'float' = 1\ndef f(): return A()",
    ),
    "an import that annotations alone use": (
        "def f(x): return x",
        "from numpy.typing import NDArray\nfrom .a import T\ndef f(x: NDArray) -> T: return x\n--- a.py\nT = 1",
    ),
    "a block for type checkers": (
        "def f(x): return x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from .a import T\n  g()\ndef f(x: T): return x",
    ),
    "a declaration of overloads": (
        "def f(x): return x",
        "from typing import overload\n@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(x: str) -> str: ...\ndef f(x): return x",
    ),
    "__all__": (
        "def f(x): return x",
        "__all__ = ['f']\n__all__ += ['g']\n__all__.append('h')\ndef f(x): return x",
    ),
    "what runs as a script alone": (
        "def f(x): return x",
        "def f(x): return x\nif __name__ == '__main__':\n  f(1)",
    ),
    "the text of an error": (
        "def f(x):\n  if x < 0: raise ValueError('negative')\n  return x",
        "def f(x):\n  if x < 0: raise ValueError('less than 0')\n  return x",
    ),
    "the text around values in an error": (
        "def f(x): raise ValueError(f'{x} is {x:.1f} ' + 'big') from None",
        "def f(x): raise ValueError(f'of {x} that {x:.3f}, ' + 'large') from None",
    ),
    "the message of an assertion": (
        "def f(x):\n  assert x, 'no'",
        "def f(x):\n  assert x, f'never'",
    ),
    "the text of a warning": (
        "import warnings\ndef f(x): warnings.warn(f'{x} a', stacklevel=2)",
        "from warnings import warn\ndef f(x): warn(f'b {x}', stacklevel=2)",
    ),
    "what is printed": ("def f(x): print('a', x, sep=', ')", "def f(x): print('b', x, sep=' ')"),
}

UNREACHED = {
    "a helper beside": ("def f(x): return x", "def g(x): return h\nh = 1\ndef f(x): return x"),
    "a jitted helper beside": (
        "import jax\ndef f(x): return x",
        "import jax\n@jax.jit\ndef g(x): return x\ndef f(x): return x",
    ),
    "a helper's keyword that is a parameter here": (
        "def f(x, width): return x * width",
        "def g(call): return call(width=3)\ndef f(x, width): return x * width",
    ),
    "the other half of a pair of constants": (
        "A, B = 1, 2\ndef f(x): return A",
        "A, B = 1, 3\ndef f(x): return A",
    ),
    "a method that nothing calls": (
        "class A:\n  def go(self): return 1\ndef f(): return A().go()",
        "class A:\n  def go(self): return 1\n  def stop(self): return 2\n  def _rest(self): return 3\ndef f(): return A().go()",
    ),
    "a method of a data class, a protocol, an enumeration and an exception": (
        """
        import enum
        from abc import ABC
        from dataclasses import dataclass
        from typing import Generic, NamedTuple, Protocol, TypeVar
        T = TypeVar("T")
        @dataclass(frozen=True)
        class A(ABC): x: int
        class B(Generic[T], A): y: int = 1
        class C(Protocol[T]): pass
        class D(enum.Enum): X = 1
        class E(ValueError): pass
        class F(NamedTuple): z: int
        def f(): return A, B, C, D.X, E, F
        """,
        """
        import enum
        from abc import ABC
        from dataclasses import dataclass
        from typing import Generic, NamedTuple, Protocol, TypeVar
        T = TypeVar("T")
        @dataclass(frozen=True)
        class A(ABC):
            x: int
            def unused(self): pass
        class B(Generic[T], A):
            y: int = 1
            def unused(self): pass
        class C(Protocol[T]):
            def unused(self): pass
        class D(enum.Enum):
            X = 1
            def unused(self): pass
        class E(ValueError):
            def unused(self): pass
        class F(NamedTuple):
            z: int
            def unused(self): pass
        def f(): return A, B, C, D.X, E, F
        """,
    ),
    "another module": ("def f(x): return x", "def f(x): return x\n--- a.py\ndef g(x): return x"),
    "another definition of an imported module": (
        "from .a import g\ndef f(x): return g(x)\n--- a.py\ndef g(x): return x",
        "from .a import g\ndef f(x): return g(x)\n--- a.py\ndef g(x): return x\ndef h(x): return 2",
    ),
    "an opaque module": (
        "from . import settings\nfrom .store.show import Stage\ndef f(x): return x, settings.A.b, Stage.GO(1)\n"
        "--- settings.py\nclass A: b = 1\n--- store/show.py\nclass Stage: GO = 'go'",
        "from . import measures\nfrom .store import show\ndef f(x): return x, measures.C, show.Stage.END(1)\n"
        "--- measures.py\nC = 1\n--- store/show.py\nprint(1)\nclass Stage: END = 'end'",
    ),
    "whether an opaque value is passed on": (
        "from pack import store\ndef f(x): return x(store.a)\n--- store/__init__.py\na = 1",
        "from pack.store.b import c as d\ndef f(x): return x(d)\n--- store/b.py\nc = 1",
    ),
}

RENAMING = {
    "a variable": ("def f(x):\n  y = x\n  return y", "def f(x):\n  z = x\n  return z"),
    "a parameter": ("def f(x, y): return x - y", "def f(y, x): return y - x"),
    "all kinds of parameters": (
        "def f(a, /, b, *c, d=1, **e): return a, b, c, d, e",
        "def f(p, /, q, *r, s=1, **t): return p, q, r, s, t",
    ),
    "the variable of a comprehension": (
        "def f(x): return [y * z for y in x if y for z in y], {a: b for a, b in x}",
        "def f(x): return [p * q for p in x if p for q in p], {b: a for b, a in x}",
    ),
    "a variable that hides another": (
        "def f(x): return [x for x in x]",
        "def f(x): return [y for y in x]",
    ),
    "a parameter of a lambda": (
        "def f(x): return lambda y: x + y",
        "def f(a): return lambda b: a + b",
    ),
    "a variable bound by walrus in a comprehension": (
        "def f(x): return [y for z in x if (y := z)], y",
        "def f(x): return [a for b in x if (a := b)], a",
    ),
    "a variable of with, except, for and del": (
        "def f(x):\n  with x as y: pass\n  try: y()\n  except E as e: print(e)\n  for i, *j in y: i += j\n  del i",
        "def f(x):\n  with x as a: pass\n  try: a()\n  except E as b: print(b)\n  for c, *d in a: c += d\n  del c",
    ),
    "captures of match": (
        "def f(x):\n  match x:\n    case [a, *b]: return a, b\n    case {'k': c, **d}: return c, d\n    case P(q=e) as g: return e, g\n    case _: return None",
        "def f(x):\n  match x:\n    case [h, *i]: return h, i\n    case {'k': j, **l}: return j, l\n    case P(q=m) as n: return m, n\n    case _: return None",
    ),
    "a nonlocal variable": (
        "def f():\n  n = 0\n  def g():\n    nonlocal n\n    n += 1\n  g()\n  return n",
        "def f():\n  m = 0\n  def h():\n    nonlocal m\n    m += 1\n  h()\n  return m",
    ),
    "a global variable": (
        "N = 0\ndef f():\n  global N\n  N += 1\n  return N",
        "M = 0\ndef f():\n  global M\n  M += 1\n  return M",
    ),
    "a definition": (
        "A = 1\nclass B: pass\ndef g(x): return A, B\ndef f(x): return g(x)",
        "C = 1\nclass D: pass\ndef h(x): return C, D\ndef f(x): return h(x)",
    ),
    "a definition that calls itself and another": (
        "def f(x): return g(x)\ndef g(x): return h(x) or f(x)\ndef h(x): return g(x)",
        "def f(x): return h(x)\ndef h(x): return g(x) or f(x)\ndef g(x): return h(x)",
    ),
    "an import": (
        "import jax.numpy as jnp\nimport numpy\ndef f(x): return jnp.dot(x, numpy.pi)",
        "from jax.numpy import dot as product\nimport numpy as np\ndef f(x): return product(x, np.pi)",
    ),
    "an import in a function": (
        "import jax.numpy as jnp\ndef f(x): return jnp.dot(x)",
        "def f(x):\n  from jax import numpy\n  return numpy.dot(x)",
    ),
    "a module": (
        "from .a import g\ndef f(x): return g(x)\n--- a.py\nB = 1\ndef g(x): return B",
        "from pack.inner.c import g as h\ndef f(x): return h(x)\n--- inner/c.py\nB = 1\ndef g(x): return B",
    ),
    "the module of a definition": (
        "B = 1\ndef g(x): return B\ndef f(x): return g(x)",
        "from . import a\ndef f(x): return a.g(x)\n--- a.py\nimport pack.b\ndef g(x): return pack.b.B\n--- b.py\nB = 1",
    ),
    "a re-export": (
        "from .a import g\ndef f(x): return g(x)\n--- a.py\ndef g(x): return 1",
        "from .b import h as k\ndef f(x): return k(x)\n--- b/__init__.py\nfrom ..a import g as h\n--- a.py\ndef g(x): return 1",
    ),
    "a private attribute": (
        "class A:\n  def __init__(self, x): self._x, self.y = x, x\n  def go(self): return self._x\ndef f(x): return A(x).go()",
        "class A:\n  def __init__(self, x): self._z, self.y = x, x\n  def go(self): return self._z\ndef f(x): return A(x).go()",
    ),
    "private methods and constants of a class": (
        "class A:\n  _k = 1\n  def __call__(self): return self._a() + self.__b()\n  def _a(self): return self._k\n  def __b(self): return 2\ndef f(): return A()()",
        "class A:\n  _m = 1\n  def __call__(self): return self._b() + self.__a()\n  def __a(self): return 2\n  def _b(self): return self._m\ndef f(): return A()()",
    ),
    "a private method of a data class": (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n  x: int\n  def go(self): return self._a()\n  def _a(self): return self.x\ndef f(): return A(1).go()",
        "from dataclasses import dataclass\n@dataclass\nclass A:\n  x: int\n  def go(self): return self._b()\n  def _b(self): return self.x\ndef f(): return A(1).go()",
    ),
    "a private attribute that getattr writes out": (
        "class A:\n  def __init__(self): self._x = 1\ndef f(a=A()): return a._x",
        "class A:\n  def __init__(self): self._y = 1\ndef f(a=A()): return a._y",
    ),
    "a parameter with its callers by keyword": (
        "def g(a, *, b=1): return a - b\ndef f(x): return g(a=x, b=2)",
        "def g(c, *, d=1): return c - d\ndef f(x): return g(c=x, d=2)",
    ),
    "a parameter with a caller in another module": (
        "from . import a\ndef f(x): return a.g(y=x)\n--- a.py\ndef g(y): return y",
        "from .a import g\ndef f(x): return g(z=x)\n--- a.py\ndef g(z): return z",
    ),
    "a parameter of a jitted function": (
        "import jax\nfrom functools import partial\n@partial(jax.jit, donate_argnums=0)\ndef g(a, b): return a\ndef f(x): return g(x, b=1)",
        "import jax\nfrom functools import partial\n@partial(jax.jit, donate_argnums=0)\ndef g(a, c): return a\ndef f(x): return g(x, c=1)",
    ),
    "a parameter of a constructor": (
        "class A:\n  def __init__(self, a): self.x = a\ndef f(x): return A(a=x)",
        "class A:\n  def __init__(self, b): self.x = b\ndef f(x): return A(b=x)",
    ),
    "a parameter of a nested function": (
        "def f(x):\n  def g(a): return a\n  return g(a=x)",
        "def f(x):\n  def g(b): return b\n  return g(b=x)",
    ),
    "a parameter of the entry and in the opaque module that calls it": (
        "def f(a, b): return a - b\n--- commands/run.py\nfrom pack.m import f\ndef run(): f(a=1, b=2)",
        "def f(c, d): return c - d\n--- commands/run.py\nfrom pack.m import f\ndef run(): f(c=3, d=4)",
    ),
    "a parameter beside a keyword that an opaque module takes": (
        "from .measures import A\ndef g(x): return x\ndef f(): return g(A(x=1))\n--- measures.py\nA = 1",
        "from .measures import A\ndef g(y): return y\ndef f(): return g(A(x=1))\n--- measures.py\nA = 1",
    ),
    "a parameter beside a field of that name": (
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: int\ndef g(x): return x\ndef f(): return g(A(x=1))",
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: int\ndef g(y): return y\ndef f(): return g(A(x=1))",
    ),
}

ORDER = {
    "definitions": (
        "A = 1\ndef g(): return A\ndef f(x): return g()",
        "def f(x): return g()\ndef g(): return A\nA = 1",
    ),
    "imports": (
        "import numpy as np\nimport jax\ndef f(x): return jax.jit(np.dot)",
        "import jax\nimport numpy as np\ndef f(x): return jax.jit(np.dot)",
    ),
    "imports of modules with effects": (
        "from . import a\nfrom . import b\ndef f(x): return x\n--- a.py\nprint(1)\n--- b.py\nopen(2)",
        "from . import b\nfrom . import a\ndef f(x): return x\n--- a.py\nprint(1)\n--- b.py\nopen(2)",
    ),
    "methods": (
        "class A:\n  x = 1\n  def __init__(self): self._b()\n  def _b(self): self._c()\n  def _c(self): self.d()\n  def d(self): pass\ndef f(): return A()",
        "class A:\n  def d(self): pass\n  def _c(self): self.d()\n  x = 1\n  def _b(self): self._c()\n  def __init__(self): self._b()\ndef f(): return A()",
    ),
}

ARITHMETIC = {
    "a constant": ("def f(x): return x + 1", "def f(x): return x + 2"),
    "the type of a constant": ("def f(x): return x + 1", "def f(x): return x + 1.0"),
    "a boolean": ("def f(x): return g(x, True)", "def f(x): return g(x, 1)"),
    "None and False in match": (
        "def f(x):\n  match x:\n    case None: return 1",
        "def f(x):\n  match x:\n    case False: return 1",
    ),
    "an operator": ("def f(x): return x + 1", "def f(x): return x - 1"),
    "a comparison": ("def f(x): return x < 1", "def f(x): return x <= 1"),
    "a statement less": ("def f(x):\n  x += 1\n  return x", "def f(x):\n  return x"),
    "the order of statements": ("def f(x):\n  g()\n  h()", "def f(x):\n  h()\n  g()"),
    "which of two variables": ("def f(x, y): return x", "def f(x, y): return y"),
    "two variables for one": (
        "def f(x):\n  y = x\n  x = 1\n  return y",
        "def f(x):\n  y = x\n  y = 1\n  return y",
    ),
    "where a comprehension begins": (
        "def f(x): return [x for x in x]",
        "def f(x): return [x for y in x]",
    ),
    "a nonlocal variable made local": (
        "def f():\n  n = 0\n  def g():\n    nonlocal n\n    n = 1\n  g()\n  return n",
        "def f():\n  n = 0\n  def g():\n    n = 1\n  g()\n  return n",
    ),
    "a global variable made local": (
        "N = 0\ndef g(): return N\ndef f():\n  global N\n  N = 1\n  return g()",
        "N = 0\ndef g(): return N\ndef f():\n  N = 1\n  return g()",
    ),
    "a name of a class, which methods do not see": (
        "x = 1\nclass A:\n  x = 2\n  def __call__(self): return x\ndef f(): return A()",
        "class A:\n  x = 2\n  def __call__(self): return self.x\ndef f(): return A()",
    ),
    "a constant that a class body reads before it binds the name": (
        "x = 1\nclass A:\n  x = x\ndef f(): return A.x",
        "x = 2\nclass A:\n  x = x\ndef f(): return A.x",
    ),
    "a constant of the module": ("A = 1\ndef f(x): return A", "A = 2\ndef f(x): return A"),
    "an annotated constant": ("A: int = 1\ndef f(x): return A", "A: int = 2\ndef f(x): return A"),
    "a constant of a constant": (
        "A = 1\nB = A\ndef f(x): return B",
        "A = 2\nB = A\ndef f(x): return B",
    ),
    "a default argument": ("def f(x=1): return x", "def f(x=2): return x"),
    "which argument has a default": (
        "def f(x, *, y=1, z): return x",
        "def f(x, *, y, z=1): return x",
    ),
    "a parameter made positional": ("def f(x, y): return x", "def f(x, y, /): return x"),
    "a decorator": (
        "import jax\n@jax.jit\ndef f(x): return x",
        "import jax\n@jax.checkpoint\ndef f(x): return x",
    ),
    "no decorator": ("import jax\n@jax.jit\ndef f(x): return x", "def f(x): return x"),
    "a base": (
        "class A: pass\nclass B(A): pass\ndef f(): return B",
        "class A: pass\nclass B: pass\ndef f(): return B",
    ),
    "a decorator for a base": (
        "def g(c): return c\n@g\nclass A: pass\ndef f(): return A",
        "def g(c): return c\nclass A(g): pass\ndef f(): return A",
    ),
    "the order of bases": (
        "class A: pass\nclass B: x = 1\nclass C(A, B): pass\ndef f(): return C",
        "class A: pass\nclass B: x = 1\nclass C(B, A): pass\ndef f(): return C",
    ),
    "a method of a base": (
        "class A:\n  def go(self): return 1\nclass B(A): pass\ndef f(): return B().go()",
        "class A:\n  def go(self): return 2\nclass B(A): pass\ndef f(): return B().go()",
    ),
    "a method with two underscores": (
        "class A:\n  def __len__(self): return 1\ndef f(): return A()",
        "class A:\n  def __len__(self): return 2\ndef f(): return A()",
    ),
    "a property": (
        "class A:\n  @property\n  def x(self): return 1\ndef f(): return A().x",
        "class A:\n  @property\n  def x(self): return 2\ndef f(): return A().x",
    ),
    "a method of another class that is called by that name": (
        "from .a import A\ndef f(x): return x.go() if x else A()\n--- a.py\nclass A:\n  def go(self): return 1",
        "from .a import A\ndef f(x): return x.go() if x else A()\n--- a.py\nclass A:\n  def go(self): return 2",
    ),
    "a public method of the entry": (
        "class f:\n  def go(self): return 1",
        "class f:\n  def go(self): return 2",
    ),
    "any method of a class with a base from elsewhere": (
        "import flax\nclass A(flax.Module):\n  def go(self): return 1\nclass B(A): pass\ndef f(): return B()",
        "import flax\nclass A(flax.Module):\n  def go(self): return 2\nclass B(A): pass\ndef f(): return B()",
    ),
    "any method of a class that is registered elsewhere": (
        "import jax\n@jax.tree_util.register_pytree_node_class\nclass A:\n  def tree_flatten(self): return 1\ndef f(): return A()",
        "import jax\n@jax.tree_util.register_pytree_node_class\nclass A:\n  def tree_flatten(self): return 2\ndef f(): return A()",
    ),
    "the order of fields": (
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: int\n  y: int\ndef f(): return A(1, 2)",
        "from typing import NamedTuple\nclass A(NamedTuple):\n  y: int\n  x: int\ndef f(): return A(1, 2)",
    ),
    "the name of a field": (
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: int\ndef f(): return A(1)",
        "from typing import NamedTuple\nclass A(NamedTuple):\n  y: int\ndef f(): return A(1)",
    ),
    "the default of a field": (
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: int = 1\ndef f(): return A()",
        "from typing import NamedTuple\nclass A(NamedTuple):\n  x: int = 2\ndef f(): return A()",
    ),
    "a field made a constant of the class": (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n  x: int = 1\ndef f(): return A(1)",
        "from dataclasses import dataclass\nfrom typing import ClassVar\n@dataclass\nclass A:\n  x: ClassVar[int] = 1\ndef f(): return A(1)",
    ),
    "a private field": (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n  _x: int\ndef f(): return A(1)",
        "from dataclasses import dataclass\n@dataclass\nclass A:\n  _y: int\ndef f(): return A(1)",
    ),
    "a public attribute": ("def f(x): return x.mean", "def f(x): return x.sum"),
    "which of two private attributes": (
        "class A:\n  def __init__(self): self._x, self._y = 1, 2\ndef f(): return A()._x",
        "class A:\n  def __init__(self): self._x, self._y = 1, 2\ndef f(): return A()._y",
    ),
    "a private attribute of something from elsewhere": (
        "def f(x): return x._asdict()",
        "def f(x): return x._replace()",
    ),
    "a string": ("def f(x): return x['a']", "def f(x): return x['b']"),
    "a string in an f-string": ("def f(x): return f'{x} a'", "def f(x): return f'{x} b'"),
    "the format of a value": ("def f(x): return f'{x:.1f}'", "def f(x): return f'{x:.2f}'"),
    "a value in the text of an error": (
        "def f(x): raise ValueError(f'{x}')",
        "def f(x): raise ValueError(f'{x + 1}')",
    ),
    "the type of an error": ("def f(x): raise ValueError('a')", "def f(x): raise TypeError('a')"),
    "what is asserted": ("def f(x):\n  assert x > 0, 'a'", "def f(x):\n  assert x > 1, 'a'"),
    "a keyword": ("def f(x): return x.sum(axis=0)", "def f(x): return x.sum(dim=0)"),
    "a keyword as the name of a column": (
        "def f(x): return dict(a=x)",
        "def f(x): return dict(b=x)",
    ),
    "which argument is getattr's default": (
        "def f(x, y): return x(getattr(y, 'a'), 1)",
        "def f(x, y): return x(getattr(y, 'a', 1))",
    ),
    "an import from elsewhere": (
        "from jax.numpy import dot\ndef f(x): return dot(x)",
        "from numpy import dot\ndef f(x): return dot(x)",
    ),
    "an import that falls back": (
        "try: from numpy import dot\nexcept ImportError: dot = None\ndef f(x): return dot(x)",
        "try: from numpy import dot\nexcept ImportError: dot = abs\ndef f(x): return dot(x)",
    ),
    "an import that hides a builtin": (
        "def f(x): return sum(x)",
        "from numpy import sum\ndef f(x): return sum(x)",
    ),
    "a definition that hides a builtin": (
        "def f(x): return sum(x)",
        "def sum(x): return 0\ndef f(x): return sum(x)",
    ),
    "one definition for two": (
        "a = []\nb = []\ndef f(x): return a, b",
        "a = []\ndef f(x): return a, a",
    ),
    "a definition in another module that is imported in a function": (
        "def f(x):\n  from .a import g\n  return g(x)\n--- a.py\ndef g(x): return 1",
        "def f(x):\n  from .a import g\n  return g(x)\n--- a.py\ndef g(x): return 2",
    ),
    "a definition that is reached through modules": (
        "import pack.inner.a\ndef f(x): return pack.inner.a.g(x)\n--- inner/__init__.py\n--- inner/a.py\ndef g(x): return 1",
        "import pack.inner.a\ndef f(x): return pack.inner.a.g(x)\n--- inner/__init__.py\n--- inner/a.py\ndef g(x): return 2",
    ),
    "a definition that getattr names": (
        "from . import a\ndef f(x): return getattr(a, 'g')\n--- a.py\ndef g(x): return 1",
        "from . import a\ndef f(x): return getattr(a, 'g')\n--- a.py\ndef g(x): return 2",
    ),
    "a definition for an attribute that a module computes": (
        "from . import a\ndef f(x): return a.g\n--- a.py\ndef __getattr__(name): return 1",
        "from . import a\ndef f(x): return a.g\n--- a.py\ndef __getattr__(name): return 2",
    ),
}

BOUND_TWICE = {
    "in the other branch": (
        "import sys\nif sys.version_info > (3, 12): A = 1\nelse: A = 2\ndef f(x): return A",
        "import sys\nif sys.version_info > (3, 12): A = 1\nelse: A = 3\ndef f(x): return A",
    ),
    "once more": ("A = 1\ndef f(x): return A", "A = 1\nA = 2\ndef f(x): return A"),
    "by an augmented assignment": (
        "A = 1\nA += 1\ndef f(x): return A",
        "A = 1\nA += 2\ndef f(x): return A",
    ),
    "by a loop": (
        "for A in (1, 2): pass\ndef f(x): return A",
        "for A in (1, 3): pass\ndef f(x): return A",
    ),
    "and which value is read": (
        "A = 1\nB = A\nA = 2\ndef f(x): return A, B",
        "A = 1\nA = 2\nB = A\ndef f(x): return A, B",
    ),
}

EFFECTS = {
    "a call at the top of the module": (
        "def f(x): return x",
        "import jax\njax.config.update('a', True)\ndef f(x): return x",
    ),
    "what is called there": (
        "def g(): return 1\ng()\ndef f(x): return x",
        "def g(): return 2\ng()\ndef f(x): return x",
    ),
    "the order of calls": ("a()\nb()\ndef f(x): return x", "b()\na()\ndef f(x): return x"),
    "an entry that is set": (
        "A = {}\ndef f(x): return A",
        "A = {}\nA['k'] = 1\ndef f(x): return A",
    ),
    "an attribute that is set": (
        "from . import a\na.B = 2\ndef f(x): return x\n--- a.py\nB = 1",
        "from . import a\na.B = 3\ndef f(x): return x\n--- a.py\nB = 1",
    ),
    "a name that is deleted": ("A = 1\ndef f(x): return x", "A = 1\ndel A\ndef f(x): return x"),
    "a block with a call": ("def f(x): return x", "if g: h()\ndef f(x): return x"),
    "a loop": (
        "A = []\ndef f(x): return A",
        "A = []\nfor i in range(3): A.append(i)\ndef f(x): return A",
    ),
    "in the module of a definition": (
        "from .a import g\ndef f(x): return g\n--- a.py\ng = 1",
        "from .a import g\ndef f(x): return g\n--- a.py\ng = 1\nopen()",
    ),
    "in a module that is imported for its effects": (
        "import pack.a\ndef f(x): return x\n--- a.py\nopen(1)",
        "import pack.a\ndef f(x): return x\n--- a.py\nopen(2)",
    ),
    "in a module that a function imports": (
        "def f(x):\n  from .a import numpy\n  return numpy.e\n--- a.py\nopen(1)\nimport numpy",
        "def f(x):\n  from .a import numpy\n  return numpy.e\n--- a.py\nopen(2)\nimport numpy",
    ),
    "in a package on the way": (
        "from .inner.a import g\ndef f(x): return g\n--- inner/__init__.py\nopen(1)\n--- inner/a.py\ng = 1",
        "from .inner.a import g\ndef f(x): return g\n--- inner/__init__.py\nopen(2)\n--- inner/a.py\ng = 1",
    ),
    "a decorator that registers": (
        "TABLE = {}\ndef register(g): TABLE[g.__name__] = g\n@register\ndef g(x): return 1\ndef f(x): return TABLE",
        "TABLE = {}\ndef register(g): TABLE[g.__name__] = g\n@register\ndef g(x): return 2\ndef f(x): return TABLE",
    ),
    "a class that its base registers": (
        "class A:\n  all = []\n  def __init_subclass__(cls): A.all.append(cls)\nclass B(A): x = 1\ndef f(x): return A.all",
        "class A:\n  all = []\n  def __init_subclass__(cls): A.all.append(cls)\nclass B(A): x = 2\ndef f(x): return A.all",
    ),
}

SWAPPED_NAMES = {
    "and a caller by keyword": (
        "def g(a, b): return a - b\ndef f(x): return g(a=x, b=1)",
        "def g(b, a): return b - a\ndef f(x): return g(a=x, b=1)",
    ),
    "and a caller through partial": (
        "from functools import partial\ndef g(a, b): return a - b\ndef f(x): return partial(g, b=x)",
        "from functools import partial\ndef g(b, a): return b - a\ndef f(x): return partial(g, b=x)",
    ),
    "and a caller that is passed the function": (
        "def g(a, b): return a - b\ndef h(call, x): return call(a=x, b=1)\ndef f(x): return h(g, x)",
        "def g(b, a): return b - a\ndef h(call, x): return call(a=x, b=1)\ndef f(x): return h(g, x)",
    ),
    "and a caller with a mapping": (
        "def g(a, b): return a - b\ndef f(x): return g(**{'a': x, 'b': 1})",
        "def g(b, a): return b - a\ndef f(x): return g(**{'a': x, 'b': 1})",
    ),
    "and an unknown caller with a mapping": (
        "def g(a, b): return a - b\ndef f(x, call=g): return call(**{'a': x, 'b': 1})",
        "def g(b, a): return b - a\ndef f(x, call=g): return call(**{'a': x, 'b': 1})",
    ),
    "and a decorator that names one": (
        "import jax\nfrom functools import partial\n@partial(jax.jit, static_argnames=('n',))\ndef g(n, m): return n - m\ndef f(x): return g(x, 1)",
        "import jax\nfrom functools import partial\n@partial(jax.jit, static_argnames=('n',))\ndef g(m, n): return m - n\ndef f(x): return g(x, 1)",
    ),
    "and a wrapper that names one": (
        "import jax\ndef g(n, m): return n - m\nh = jax.jit(g, static_argnames='n')\ndef f(x): return h(x, 1)",
        "import jax\ndef g(m, n): return m - n\nh = jax.jit(g, static_argnames='n')\ndef f(x): return h(x, 1)",
    ),
    "of a method": (
        "class A:\n  def go(self, a, b): return a - b\ndef f(x): return A().go(a=x, b=1)",
        "class A:\n  def go(self, b, a): return b - a\ndef f(x): return A().go(a=x, b=1)",
    ),
    "of a constructor": (
        "class A:\n  def __init__(self, a, b): self.x = a - b\ndef f(x): return A(a=x, b=1)",
        "class A:\n  def __init__(self, b, a): self.x = b - a\ndef f(x): return A(a=x, b=1)",
    ),
    "of a lambda": (
        "g = lambda a, b: a - b\ndef f(x): return g(a=x, b=1)",
        "g = lambda b, a: b - a\ndef f(x): return g(a=x, b=1)",
    ),
    "of the entry, which an opaque module calls": (
        "def f(a, b): return a - b\n--- commands/run.py\nfrom pack.m import f\ndef run(): f(a=1, b=2)",
        "def f(b, a): return b - a\n--- commands/run.py\nfrom pack.m import f\ndef run(): f(a=1, b=2)",
    ),
    "of the entry, which an opaque module passes on": (
        "def f(a, b): return a - b\n--- commands/run.py\nfrom functools import partial\nfrom pack import m\ndef run(): partial(m.f, b=2)",
        "def f(b, a): return b - a\n--- commands/run.py\nfrom functools import partial\nfrom pack import m\ndef run(): partial(m.f, b=2)",
    ),
    "of private attributes that a text names": (
        "class A:\n  __slots__ = ('_x', '_y')\n  def __init__(self): self._x, self._y = 1, 2\ndef f(a=A()): return a._x, a",
        "class A:\n  __slots__ = ('_x', '_y')\n  def __init__(self): self._y, self._x = 1, 2\ndef f(a=A()): return a._y, a",
    ),
    "of private attributes that are found by a built text": (
        "class A:\n  def __init__(self): self._x, self._y = 1, 2\n  def get(self, n): return getattr(self, '_' + n)\ndef f(a=A()): return a.get('x')",
        "class A:\n  def __init__(self): self._y, self._x = 1, 2\n  def get(self, n): return getattr(self, '_' + n)\ndef f(a=A()): return a.get('x')",
    ),
    "of private attributes that are listed": (
        "class A:\n  def __init__(self): self._x, self._y = 1, 2\ndef f(x): return vars(A())[x]",
        "class A:\n  def __init__(self): self._y, self._x = 1, 2\ndef f(x): return vars(A())[x]",
    ),
}


def _cases(*tables: dict[str, tuple[str, str]]) -> list[object]:
    return [pytest.param(*case, id=name) for table in tables for name, case in table.items()]


@pytest.mark.parametrize(("before", "after"), _cases(WRITING, UNREACHED, RENAMING, ORDER))
def test_what_changes_no_result_changes_no_digest(tmp_path: Path, before: str, after: str) -> None:
    old, new = digested(tmp_path, before), digested(tmp_path, after)
    assert old.digest == new.digest
    assert changed_definitions(old._asdict(), new._asdict()) == []


@pytest.mark.parametrize(
    ("before", "after"), _cases(ARITHMETIC, BOUND_TWICE, EFFECTS, SWAPPED_NAMES)
)
def test_what_may_change_a_result_changes_the_digest(
    tmp_path: Path, before: str, after: str
) -> None:
    old, new = digested(tmp_path, before), digested(tmp_path, after)
    assert old.digest != new.digest
    assert changed_definitions(old._asdict(), new._asdict())


REGISTRY = """
from .a import g, h
TABLE: dict = {"one": g, "two": h}
NAMES = ("one", "two")
def f(x): return TABLE[x](x), NAMES
--- a.py
def g(x): return 1
def h(x): return 2
"""
ONE = (("m.TABLE", "one"), ("m.NAMES", "one"))
TWO = (("m.TABLE", "two"), ("m.NAMES", "one"))
BOTH = (*ONE, ("m.TABLE", "two"))


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("def g(x): return 1", "def g(x): return 3", {"one", "both"}),
        ("def h(x): return 2", "def h(x): return 3", {"two", "both"}),
        ('"two": h}', '"two": h, "three": g}', set()),
        ('{"one": g, ', '{"three": h, "one": g, ', set()),
        ('("one", "two")', '("one", "two", "three")', set()),
        ('{"one": g', '{"one": h', {"one", "both"}),
        # These may replace the entry in use.
        ('"two": h}', '"two": h, **g}', {"one", "two", "both"}),
        ('"two": h}', '"two": h, g: h}', {"one", "two", "both"}),
    ],
)
def test_of_a_registry_the_chosen_entries_alone_count(
    tmp_path: Path, old: str, new: str, changes: set[str]
) -> None:
    choices = {"one": ONE, "two": TWO, "both": BOTH}
    assert REGISTRY.count(old) == 1
    before, after = (
        {name: digested(tmp_path, source, choices=c).digest for name, c in choices.items()}
        for source in (REGISTRY, REGISTRY.replace(old, new))
    )
    assert {name for name in choices if before[name] != after[name]} == changes


def test_an_entry_that_is_not_chosen_is_not_reached(tmp_path: Path) -> None:
    assert set(digested(tmp_path, REGISTRY, choices=ONE).definitions) == {
        *("m.f", "m.TABLE", "m.NAMES", "a.g")
    }
    assert "a.h" in digested(tmp_path, REGISTRY).definitions


@pytest.mark.parametrize(
    ("entries", "choices", "message"),
    [
        (("m.k",), (), "the package pack has no definition m.k"),
        (("n.f",), (), "the package pack has no definition n.f"),
        (("m",), (), "the package pack has no definition m"),
        (("m.f.x",), (), "the package pack has no definition m.f.x"),
        (("m.f",), (("m.TABLES", "one"),), "the package pack has no definition m.TABLES"),
        (("m.f",), (("m.TABLE", "three"),), "the registry m.TABLE has no entry 'three'"),
        (("m.f",), (("m.f", "one"),), "m.f is not written out as one dict, tuple or list"),
    ],
)
def test_what_does_not_exist_is_named(
    tmp_path: Path, entries: tuple[str, ...], choices: tuple[tuple[str, str], ...], message: str
) -> None:
    with pytest.raises(LookupError, match=f"^{message}$"):
        digested(tmp_path, REGISTRY, entries, choices)


WHOLE = "(whole module: reachability cannot be decided)"


@pytest.mark.parametrize(
    ("source", "whole"),
    [
        ("def f(x): return getattr(x, x.name)", {"m"}),
        ("def f(x): return setattr(x, x.name, 1)", {"m"}),
        ("def f(x): return getattr(*x)", {"m"}),
        ("def f(x): return map(getattr, x)", {"m"}),
        ("def f(x): return vars(x)", {"m"}),
        ("def f(x): return x.__dict__", {"m"}),
        ("def f(x): return globals()[x]", {"m"}),
        ("def f(x): return locals()", {"m"}),
        ("def f(x): return eval(x)", {"m"}),
        ("def f(x): exec(x)", {"m"}),
        ("from operator import attrgetter\ndef f(x): return attrgetter(x)(x)", {"m"}),
        ("from numpy import *\ndef f(x): return dot(x)", {"m"}),
        ("from .a import *\ndef f(x): return g(x)\n--- a.py\ndef g(x): return x", {"m", "a"}),
        ("from . import a\ndef f(x): return x(a)\n--- a.py\ndef g(x): return x", {"m", "a"}),
        ("from . import a\ndef f(x): return getattr(a, x)\n--- a.py\ng = 1", {"m", "a"}),
        ("from . import a\ndef f(x): return vars(a)\n--- a.py\ng = 1", {"m", "a"}),
        ("def f(x): return __import__(x)\n--- a.py\ng = 1", {"__init__", "m", "a"}),
        (
            "import importlib\ndef f(x): return importlib.import_module(x)\n--- a.py\ng = 1",
            {"__init__", "m", "a"},
        ),
        (
            "from importlib import import_module\n"
            "def f(x): return import_module('pack.a').g\n--- a.py\ng = 1",
            {"m", "a"},
        ),
        ("import sys\ndef f(x): return sys.modules['pack.a'].g\n--- a.py\ng = 1", {"m", "a"}),
        # These can be decided.
        ("import jax\ndef f(x): return getattr(jax, x), vars(jax), setattr(jax, x, 1)", set()),
        ("def f(x): return getattr(x, 'y', None), hasattr(x, 'y'), setattr(x, 'y', 1)", set()),
        ("from importlib import import_module\ndef f(x): return import_module('jax').jit", set()),
        ("from operator import attrgetter\ndef f(x): return attrgetter('y.z')(x)", set()),
        ("def f(x, getattr): return getattr(x, x.name)", set()),
        ("from . import store\ndef f(x): return x(store)\n--- store/__init__.py\ng = 1", set()),
    ],
)
def test_where_reachability_cannot_be_decided_the_whole_module_counts(
    tmp_path: Path, source: str, whole: set[str]
) -> None:
    head, *rest = source.split("---", 1)
    beside = "---".join([f"{head}\ndef beside(): return 1\n", *rest])
    other = beside.replace("return 1", "return 2")
    plain, before, after = (digested(tmp_path, text) for text in (source, beside, other))
    suffix = f" {WHOLE}"
    assert {d.removesuffix(suffix) for d in before.definitions if d.endswith(suffix)} == whole
    assert (before.digest != plain.digest) == ("m" in whole)
    assert (after.digest != before.digest) == ("m" in whole)
    if "m" in whole:
        assert f"m{suffix} changed" in changed_definitions(before._asdict(), after._asdict())


def test_an_attribute_by_a_computed_name_may_be_any_method(tmp_path: Path) -> None:
    source = "from .a import A\ndef f(x): return getattr(A(), x)\n--- a.py\nclass A:\n  def go(self): return 1"
    assert (
        digested(tmp_path, source).digest
        != digested(tmp_path, source.replace("return 1", "return 2")).digest
    )


def test_renaming_in_a_module_that_counts_as_a_whole_changes_nothing(tmp_path: Path) -> None:
    source = "def f(x): return getattr(x, x.name)\ndef g(): return h\nh = 1\nk = [2]"
    renamed = source.replace("g()", "a()").replace("h", "b").replace("k", "c")
    assert digested(tmp_path, source).digest == digested(tmp_path, renamed).digest


def test_renaming_what_code_can_ask_for_by_name_changes_the_digest(tmp_path: Path) -> None:
    source = "def f(x):\n  y = x\n  return eval(x)\ng = 1"
    before = digested(tmp_path, source).digest
    assert digested(tmp_path, source.replace("y", "z")).digest != before
    assert digested(tmp_path, source.replace("g", "h")).digest != before


def test_a_room_that_is_opaque_counts_for_an_entry_in_it(tmp_path: Path) -> None:
    source = (
        "from .charts.style import LINE\ndef f(x): return LINE\n"
        "--- charts/line.py\nfrom .style import LINE\ndef draw(): return LINE\n"
        "--- charts/style.py\nLINE = 1"
    )
    thicker = source.replace("LINE = 1", "LINE = 2")
    for entry, counts in (("m.f", False), ("charts.line.draw", True)):
        before, after = (digested(tmp_path, text, (entry,)) for text in (source, thicker))
        assert (before.digest != after.digest) == counts


def test_definitions_are_named_relative_to_the_package(tmp_path: Path) -> None:
    code = digested(
        tmp_path,
        "from pack import E\nfrom .inner.a import A\nopen(1)\ndef f(): return A().go(E)\n"
        "--- __init__.py\nclass E(Exception): pass\nopen(2)\n"
        "--- inner/a.py\nclass A:\n  def go(self): return 1\nclass B: pass",
    )
    assert set(code.definitions) == {
        *("E", "__init__ (import-time effects)", "inner.a.A"),
        *("m (import-time effects)", "m.f"),
    }
    assert len(code.digest) == 16
    assert {len(digest) for digest in code.definitions.values()} == {8}
    assert json.loads(json.dumps(code._asdict())) == code._asdict()


def test_a_changed_method_is_reported_by_its_class(tmp_path: Path) -> None:
    source = "class A:\n  def go(self): return 1\ndef f(): return A().go()"
    before, after = digested(tmp_path, source), digested(tmp_path, source.replace("1", "2"))
    assert changed_definitions(before._asdict(), after._asdict()) == ["m.A changed"]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (("1", {"a": "1"}), ("1", {"b": "2"}), []),
        (("1", {"a": "1", "b": "1"}), ("2", {"a": "2", "b": "1"}), ["a changed"]),
        (("1", {"a": "1", "b": "1"}), ("2", {"b": "1", "c": "1"}), ["a is gone", "c is new"]),
        (
            ("1", {"a": "1"}),
            ("2", {"a": "1"}),
            ["the way in which the code's definitions are used changed"],
        ),
    ],
)
def test_differences_are_words(
    before: tuple[str, dict[str, str]], now: tuple[str, dict[str, str]], words: list[str]
) -> None:
    assert changed_definitions(Code(*before)._asdict(), Code(*now)._asdict()) == words


def test_a_record_without_code_differs_in_all_of_it() -> None:
    assert changed_definitions({}, Code("1", {"m.f": "1"})._asdict()) == ["m.f is new"]


def test_code_is_not_executed(tmp_path: Path) -> None:
    digested(tmp_path, "raise SystemExit\ndef f(): import nonsense\n--- __init__.py\n1 / 0")


def test_code_is_read_once(tmp_path: Path) -> None:
    digested(tmp_path, "def f(x): return 1")
    (package,) = tmp_path.glob("*/pack")
    code = code_of(("m.f",), package=package)
    (package / "m.py").write_text("def f(x): return 2")
    assert code_of(("m.f",), package=package) is code
    code_of.cache_clear()
    assert code_of(("m.f",), package=package).digest != code.digest


def test_files_that_are_no_modules_are_not_read(tmp_path: Path) -> None:
    code = digested(tmp_path, "def f(x): return 1")
    (package,) = tmp_path.glob("*/pack")
    (package / ".#m.py").symlink_to("nowhere")
    code_of.cache_clear()
    assert code_of(("m.f",), package=package) == code


EVERYTHING = """
import sys
from dataclasses import dataclass, field
import jax.numpy as jnp
from . import b
try: from .c import fast
except ImportError: fast = None
sys.modules.setdefault("x", None)
A, (B, *C) = 1, (2.5e-3, 3j, b"b")
class Base:
    'A class.'
    _count: int = 0
    def __init__(self, x, /, y=None, *args, z: int = 1, **kwargs): self._x = (x, y, args, z, kwargs)
    @property
    def size(self): return len(self._x)
    async def run(self):
        async with self as a, b() as c: yield await a
        return [i async for i in c]
@dataclass(frozen=True)
class Data(Base):
    one: int
    many: list = field(default_factory=list)
def f(x, *, key=lambda v, w=1: -v ** w):
    global A
    A += 1
    def inner():
        nonlocal x
        x = {**x, "k": {1, 2}} if x else {n: m for n, m in x.items()}
    match x:
        case [1, "a", *rest] | (rest, -1): pass
        case {"k": None, **more} if more: del more["k"]
        case Data(one=1) as d: raise ValueError(f"no {d}") from None
    for i, j in enumerate(x):
        if (n := i) and not j: continue
    else: x = x[1:2, ..., ::3]
    while True:
        try: assert x is not None, "never"
        except (TypeError, KeyError) as e: break
        finally: print(f"{x!r:>{A}.{B:d}}" "text" f"{A=}")
    return jnp.dot(x @ x, key(*x, **x), axis=0), fast, b.g(y=x), Data(1).size, C, B, inner
--- b.py
def g(y): return y
--- c.py
def fast(): yield from ()
"""


def test_every_python_gives_the_same_digest(tmp_path: Path) -> None:
    # If this digest changes, every result that there is becomes stale.
    assert digested(tmp_path, EVERYTHING).digest == "55fbc3a0beedfe67"


def test_the_package_itself_is_read_in_a_moment() -> None:
    sources = read_sources(Path(ntk_mnist.__path__[0]))
    started = time.process_time()
    code = code_in("ntk_mnist", sources, ("networks.training.Trainer",))
    assert time.process_time() - started < 1
    assert "networks.training.Trainer" in code.definitions
