"""All that some entries can reach, and one digest of it that no renaming changes.

*Reachability.* The entries are reached, and each definition that a reached part refers to. A method
of a reached class is reached if its name is read as an attribute anywhere in what is reached. Types
of values are not known, so any such attribute may be this method. Importing a module runs its
effects and those of all modules that it imports, so these are reached as well.

*Canonical form.* Parts are numbered in the order in which they are first referred to, breadth
first. Local variables are numbered within their part, and private attributes over the whole, both
by first appearance. The digest is that of all tokens in the order of their parts, with these
numbers. So two packages have the same digest if and only if a one-to-one renaming of definitions,
variables and private attributes makes the tokens of what is reached equal. Names that code may use
as text are not numbered, and no renaming of them goes unnoticed.
"""

from collections import deque
from collections.abc import Sequence

from ntk_mnist.store.code.calling import calls_from_opaque_modules, is_open, methods
from ntk_mnist.store.code.parts import chosen_entries, rank, tokens_of
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
    Render,
    Runs,
    Text,
    Token,
    digest_of,
    is_private,
    module_of,
    name_of,
    named,
    rendered,
)

__all__ = ["Closure"]


class Closure:
    """What can be reached from some entries.

    Args:
        package: contains the entries.
        entries: definitions.
        choices: by registry, the keys of the only entries that count.
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
        return tokens_of(self._package, part)

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
        """Sorts methods; a private name does not decide, since it may be changed."""
        if is_private(method) and method in self._read:
            return self._read[method], ""
        return -1, method

    def _may_be_called(self, method: str) -> bool:
        is_special = method.startswith("_") and method.endswith("_")
        if is_special or method in self._read or self._lists_any:
            return True
        return self._reads_any and (not is_private(method) or self._may_be_text(method))

    def _may_be_text(self, private: str) -> bool:
        """Whether some string constant is a private name or the beginning of it."""
        return any(text.startswith("_") and private.startswith(text) for text in self._texts)

    def _next_effects(self) -> list[Part]:
        """Effects of imported modules that are not reached yet, in order."""
        effects = [Effects(module) for module in sorted(self._imported)]
        new = [part for part in effects if part not in self._numbers and self._tokens(part)]
        return sorted(new, key=lambda part: rank(self._package, part))

    # Digests.

    def digest(self, length: int) -> str:
        """The digest of everything that is reached; ``length`` hexadecimal digits."""
        lines = []
        for entry in self._entries:
            lines.append(f"entry {self._numbers[entry]}")
            lines += sorted(map(str, calls_from_opaque_modules(self._package, entry)))
        private: dict[str, int] = {}
        for part in self._numbers:
            lines.append(f"part {type(part).__name__}")
            if isinstance(part, Method):
                lines.append(f"of {self._numbers[part.owner]}")
            lines += rendered(self._tokens(part), self._numbered(part, private))
        return digest_of(lines)[:length]

    def definitions(self, length: int) -> dict[str, str]:
        """By name, the digest of each reached definition alone; for reports."""
        texts: dict[str, list[str]] = {}
        for part in sorted(self._numbers, key=str):
            of_part = [part]
            if isinstance(part, Namespace | Remainder):
                of_part += [p for p in self._numbers if module_of(p) == part.module]
            lines = texts.setdefault(name_of(part), [])
            for each in sorted(of_part, key=str):
                lines += rendered(self._tokens(each), named)
        return {name: digest_of(lines)[:length] for name, lines in sorted(texts.items())}

    def _numbered(self, part: Part, private: dict[str, int]) -> Render:
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
            return named(token)

        return render

    def _is_passed(self, parameter: Parameter) -> bool:
        """Whether a caller that is not known may pass a parameter by its name."""
        return self._passes_any or parameter.variable.name in self._passed

    def _may_be_renamed(self, attribute: str) -> bool:
        """Whether an attribute is private, and no code can ask for it by a text."""
        return (
            is_private(attribute)
            and attribute in self._bound
            and attribute not in self._fixed
            and not self._lists_any
            and not self._may_be_text(attribute)
        )
