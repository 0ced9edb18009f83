"""All that some entries can reach, and one digest of it that no renaming changes.

*Reachability.* From the entries on, each definition that a reached part refers to is reached. A
method is reached with its class if its name is read as an attribute anywhere in what is reached;
since the types of values are not known, any such attribute may be this method. Importing a module
runs its effects, and those of all modules that it imports, so these are reached as well.

*Canonical form.* Parts are numbered in the order in which they are first referred to, breadth
first. Local variables are numbered within their part, and private attributes over the whole, both
by first appearance. The digest is that of the parts' tokens in this order with these numbers. Two
packages have the same digest if and only if there is a renaming (one to one) of definitions,
variables and private attributes under which the tokens of what is reached are equal; the names that
such a renaming must not touch, since code may ask for them as text, are written as they are.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from ntk_mnist.store.code.calling import calls_from_opaque_modules, is_open, methods
from ntk_mnist.store.code.parts import chosen_entries, tokens_of
from ntk_mnist.store.code.source import Definition, Package
from ntk_mnist.store.code.tokens import (
    Attribute,
    Choices,
    Effects,
    Keyword,
    Local,
    Method,
    Namespace,
    Parameter,
    Part,
    PassesNames,
    ReadsAnyAttribute,
    Reference,
    Remainder,
    Runs,
    Text,
    Token,
    module_of,
)

__all__ = ["Closure"]

#: Writes one token; None for one that says nothing by itself.
_Render = Callable[[Token], str | None]


class Closure:
    """What some entries can reach.

    Args:
        package: that they are in.
        entries: the definitions from which to start.
        choices: the entries of registries that alone count.
    """

    def __init__(self, package: Package, entries: Sequence[Definition], choices: Choices) -> None:
        self._package, self._entries, self._choices = package, entries, choices
        #: Each reached part and its number.
        self._numbers: dict[Part, int] = {}
        self._waiting: deque[Part] = deque()
        self._imported: set[str] = set()
        #: Names of attributes that are read, each with the number of those read before it.
        self._read: dict[str, int] = {}
        self._bound: set[str] = set()
        self._fixed: set[str] = set()
        self._texts: set[str] = set()
        self._passed: set[str] = set()
        self._passes_any = self._reads_any = self._lists_any = False
        for entry in entries:
            self._reach(entry)
        while self._waiting:
            for token in self._tokens(self._waiting.popleft()):
                self._note(token)
            if not self._waiting:
                for part in self._next_methods() or self._next_effects():
                    self._reach(part)

    def _tokens(self, part: Part) -> list[Token]:
        if isinstance(part, Definition) and part in self._choices:
            return chosen_entries(self._package, part, self._choices[part])
        return tokens_of(self._package, part, _rank)

    def _reach(self, part: Part) -> None:
        if part not in self._numbers:
            self._numbers[part] = len(self._numbers)
            self._waiting.append(part)
            module = module_of(part)
            self._import(module)
            if self._package.module(module).stars:
                # Any name in it may come from there.
                self._reach(Namespace(module))

    def _note(self, token: Token) -> None:
        match token:
            case Reference(part=part):
                self._reach(part)
            case Attribute(name=name, role="read"):
                self._read.setdefault(name, len(self._read))
            case Attribute(name=name, role=role):
                (self._bound if role == "bound" else self._fixed).add(name)
            case Text(value=value):
                self._texts.add(value)
            case Keyword(name=name, unresolved=True):
                self._passed.add(name)
            case PassesNames(names=names):
                self._passed.update(names or ())
                self._passes_any |= names is None
            case ReadsAnyAttribute(listed=listed):
                self._reads_any = True
                self._lists_any |= listed
            case Runs(path=path):
                for module in self._package.imported_modules(path):
                    self._import(module)

    def _import(self, module: str) -> None:
        """Record that a module is imported, and with it all that it imports."""
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name not in self._imported:
                self._imported.add(name)
                paths = [".".join(filter(None, [self._package.name, name]))]
                for path in [*paths, *self._package.module(name).runs]:
                    waiting += self._package.imported_modules(path)

    def _next_methods(self) -> list[Part]:
        """Methods of reached classes that may be called and are not reached yet, in order."""
        found: list[Part] = []
        for owner in [part for part in self._numbers if isinstance(part, Definition)]:
            class_ = self._package.class_of(owner)
            if class_ is not None:
                called = [
                    name
                    for name in methods(class_)
                    if is_open(self._package, owner)
                    or self._may_be_called(name)
                    # The class of an entry is used from outside.
                    or (owner in self._entries and not name.startswith("_"))
                ]
                found += [Method(owner, name) for name in sorted(called, key=self._place)]
        return [method for method in found if method not in self._numbers]

    def _place(self, method: str) -> tuple[int, str]:
        """Sorts methods; not by private names, as these may be changed."""
        if _is_private(method) and method in self._read:
            return self._read[method], ""
        return -1, method

    def _may_be_called(self, method: str) -> bool:
        is_special = method.startswith("_") and method.endswith("_")
        if is_special or method in self._read or self._lists_any:
            return True
        return self._reads_any and (not _is_private(method) or self._may_be_text(method))

    def _may_be_text(self, private: str) -> bool:
        """Whether a text that is written out may be a private name, or its beginning."""
        return any(text.startswith("_") and private.startswith(text) for text in self._texts)

    def _next_effects(self) -> list[Part]:
        """What the imported modules do, as far as it is not reached yet, in order."""
        effects = [Effects(module) for module in sorted(self._imported)]
        new = [part for part in effects if part not in self._numbers and self._tokens(part)]
        return sorted(new, key=lambda part: _rank(self._package, part))

    # Digests.

    def digest(self, length: int) -> str:
        """The digest of everything, so many hexadecimal digits."""
        lines = []
        for entry in self._entries:
            lines.append(f"entry {self._numbers[entry]}")
            lines += sorted(map(str, calls_from_opaque_modules(self._package, entry)))
        private: dict[str, int] = {}
        for part in self._numbers:
            lines.append(f"part {type(part).__name__}")
            if isinstance(part, Method):
                lines.append(f"of {self._numbers[part.owner]}")
            lines += _rendered(self._tokens(part), self._numbered(part, private))
        return _digest(lines)[:length]

    def definitions(self, length: int) -> dict[str, str]:
        """The digest of each reached definition's own text, by its name; for reports."""
        texts: dict[str, list[str]] = {}
        for part in sorted(self._numbers, key=str):
            of_part = [part]
            if isinstance(part, Namespace | Remainder):
                of_part += [p for p in self._numbers if module_of(p) == part.module]
            lines = texts.setdefault(_own_name(part), [])
            for each in sorted(of_part, key=str):
                lines += _rendered(self._tokens(each), _named)
        return {name: _digest(lines)[:length] for name, lines in sorted(texts.items())}

    def _numbered(self, part: Part, private: dict[str, int]) -> _Render:
        """Renders the tokens of one part; ``private`` are the attributes numbered so far."""
        by_name = Namespace(module_of(part)) in self._numbers
        variables: dict[int, int] = {}

        def render(token: Token) -> str | None:
            match token:
                case Reference(part=other):
                    return f"part {self._numbers[other]}"
                case Local(variable=variable) | Parameter(variable=variable) if not by_name:
                    line = f"variable {variables.setdefault(id(variable), len(variables))}"
                    if isinstance(token, Parameter) and token.by_name and self._is_passed(token):
                        line += f" passed as {variable.name}"
                    return line
                case Attribute(name=name) if self._may_be_renamed(name):
                    kind = "mangled" if name.startswith("__") else "private"
                    return f"{kind} {private.setdefault(name, len(private))}"
                case Keyword(position=position) if position is not None:
                    return f"keyword of parameter {position}"
            return _named(token)

        return render

    def _is_passed(self, parameter: Parameter) -> bool:
        """Whether a caller that is not known may pass a parameter by its name."""
        return self._passes_any or parameter.variable.name in self._passed

    def _may_be_renamed(self, attribute: str) -> bool:
        """Whether an attribute is private, and no code can ask for it by a text."""
        return (
            _is_private(attribute)
            and attribute in self._bound
            and attribute not in self._fixed
            and not self._lists_any
            and not self._may_be_text(attribute)
        )


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("_")


def _rank(package: Package, part: Part) -> str:
    """Sorts parts by what they mean, whatever the names in them are."""
    return _digest(_rendered(tokens_of(package, part, _rank), _unnamed))


def _unnamed(token: Token) -> str | None:
    match token:
        case Reference() | Local() | Parameter() | Keyword():
            return type(token).__name__
        case Attribute(name=name) if _is_private(name):
            return "private"
    return _named(token)


def _named(token: Token) -> str | None:
    line: str | None = None
    match token:
        case str():
            line = token
        case Reference(part=part):
            line = f"name {_own_name(part).rpartition('.')[2]}"
        case Local(variable=variable) | Parameter(variable=variable):
            line = f"variable {variable.name}"
        case Attribute(name=name):
            line = f"attribute {name}"
        case Keyword(name=name):
            line = f"keyword {name}"
        case Text(value=value):
            line = f"text {value!a}"
    return line


def _rendered(tokens: Iterable[Token], render: _Render) -> Iterator[str]:
    return (line for token in tokens if (line := render(token)) is not None)


def _own_name(part: Part) -> str:
    match part:
        case Definition():
            return str(part)
        case Method(owner=owner):
            return str(owner)
        case Effects(module=module):
            return f"{module or '__init__'} (import-time effects)"
        case Namespace(module=module) | Remainder(module=module):
            return f"{module or '__init__'} (whole module: reachability cannot be decided)"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
