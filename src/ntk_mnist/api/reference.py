"""The reference of the public names in Markdown, from their signatures and docstrings.

It is read from the source, where defaults are as they were written, and nothing is imported.
"""

import ast
import re
from inspect import cleandoc
from pathlib import Path

import ntk_mnist
from ntk_mnist import settings
from ntk_mnist.declarations import declared
from ntk_mnist.plan.reference import explained

__all__ = ["api_reference", "in_markdown"]

_PACKAGE = Path(ntk_mnist.__file__).parent
_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Warns):\n", re.M)


def api_reference() -> str:
    """A section for each public name: its signature, and its docstring."""
    return "\n".join(f"## `{name}`\n\n{_described(name)}" for name in ntk_mnist.__all__)


def _described(name: str) -> str:
    definition = _definition(name)
    if name == settings.Architecture.__name__:
        fields = [
            f"- `{field.name}`: {explained(settings.Settings, field)} Default: `{field.default!r}`."
            for field in declared(settings.Architecture)
        ]
        return "\n".join(["The network of both sides, a frozen value.", "", *fields, ""])
    text = in_markdown(ast.get_docstring(definition) or "")
    if isinstance(definition, ast.FunctionDef):
        return f"```python\n{_signature(definition)}\n```\n\n{text}"
    return text


def _definition(name: str) -> ast.FunctionDef | ast.ClassDef:
    module = ntk_mnist._MODULES.get(name, "ntk_mnist.__init__")
    file = _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    for statement in ast.parse(file.read_bytes()).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name == name:
            return statement
    raise LookupError(f"no definition of {name} in {file}")


def _signature(function: ast.FunctionDef) -> str:
    """One argument a line."""
    given = function.args
    first = len(given.args) - len(given.defaults)
    defaults = [*[None] * first, *given.defaults, *given.kw_defaults]
    arguments = []
    for argument, default in zip([*given.args, *given.kwonlyargs], defaults, strict=True):
        value = "" if default is None else f" = {ast.unparse(default)}"
        arguments.append(f"{ast.unparse(argument)}{value}")
    if given.kwonlyargs:
        arguments.insert(len(given.args), "*")
    returns = ast.unparse(function.returns).strip("'") if function.returns else "None"
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"{function.name}(\n{lines}) -> {returns}"


def in_markdown(docstring: str) -> str:
    """A docstring in Google's style; its sections become lists."""
    text, *sections = _SECTION.split(cleandoc(docstring))
    parts = [text.strip()]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        inner = cleandoc(f"\n{body}")
        # What is returned has no name.
        entries = [inner] if title == "Returns" else re.split(r"\n(?! )", inner)
        parts.append(f"**{title}**\n\n" + "\n".join(_entry(title, entry) for entry in entries))
    return re.sub(r":\w+:`(.*?)`", r"`\1`", "\n\n".join(parts)).replace("``", "`") + "\n"


def _entry(title: str, entry: str) -> str:
    words = " ".join(entry.split())
    if title == "Returns":
        return f"- {words}"
    name, _, meaning = words.partition(": ")
    return f"- `{name}`: {meaning}"
