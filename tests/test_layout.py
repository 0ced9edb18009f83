"""The floors of the package: imports go down, rooms form no circle, and a plan imports no JAX."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import REPOSITORY

SOURCE = REPOSITORY / "src"
#: The rooms on each floor, from below. Modules of the package itself are rooms too.
FLOORS = (
    {"", "settings", "measures", "registries", "declarations", "runtime", "compilation"}
    | {"process"},
    {"infinite_width"},
    {"data", "architecture", "neural_tangents_compat", "store"},
    {"networks", "kernels"},
    {"comparison"},
    {"plan"},
    {"charts", "terminal"},
    {"commands"},
    {"__main__"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
COMPUTING = {"infinite_width", "architecture", "networks", "kernels", "comparison"}
HEAVY = {"altair", "jax", "neural_tangents", "pandas", "scipy", "sklearn"}


def module_name(file: Path) -> str:
    """The dotted name of a module below the package; empty for the package itself."""
    parts = file.relative_to(SOURCE / "ntk_mnist").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


FILES = {module_name(file): file for file in sorted((SOURCE / "ntk_mnist").rglob("*.py"))}


def imports(module: str) -> Iterator[str]:
    """The full names of all modules that a module imports, also within functions."""
    for node in ast.walk(ast.parse(FILES[module].read_bytes())):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(base), names=names, level=0):
                for name in names:
                    whole = f"{base}.{name.name}"
                    is_module = whole.removeprefix("ntk_mnist.") in FILES
                    yield whole if whole.startswith("ntk_mnist.") and is_module else base
            case ast.ImportFrom():
                raise AssertionError(f"{module} has a relative import")


#: The modules of the package that each of them imports.
INNER = {
    module: {
        name.removeprefix("ntk_mnist").removeprefix(".")
        for name in imports(module)
        if name.split(".")[0] == "ntk_mnist"
    }
    for module in FILES
}
#: The first part of the name of all others that each of them imports.
OUTER = {module: {name.split(".")[0] for name in imports(module)} for module in FILES}


def room(module: str) -> str:
    return module.partition(".")[0]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Nodes that lie on a circle or only lead to one; none if there is no circle."""
    rest = {node: set(targets) - {node} for node, targets in graph.items()}
    while leaves := [node for node, targets in rest.items() if not targets & set(rest)]:
        for leaf in leaves:
            del rest[leaf]
    return sorted(rest)


def test_every_module_is_in_a_room_of_a_floor() -> None:
    assert {room(module) for module in FILES} == set(FLOOR)


@pytest.mark.parametrize("module", FILES)
def test_no_import_goes_up(module: str) -> None:
    floor = FLOOR[room(module)]
    assert {name for name in INNER[module] if FLOOR[room(name)] > floor} == set()


@pytest.mark.parametrize("module", FILES)
def test_every_import_is_of_a_module_that_exists(module: str) -> None:
    assert INNER[module] <= set(FILES)


def test_the_rooms_form_no_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for module, targets in INNER.items():
        rooms.setdefault(room(module), set()).update(map(room, targets))
    assert circle(rooms) == []


def test_the_modules_form_no_circle() -> None:
    assert circle(INNER) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def test_networks_and_kernels_do_not_import_each_other() -> None:
    for one, other in (("networks", "kernels"), ("kernels", "networks")):
        for module in (name for name in FILES if room(name) == one):
            assert other not in set(map(room, INNER[module])), module


def test_the_plan_imports_of_the_data_and_the_cells_only_what_is_declared() -> None:
    for module in (name for name in FILES if room(name) == "plan"):
        rooms = {room(name) for name in INNER[module]}
        assert not rooms & (COMPUTING | {"neural_tangents_compat"}), module
        data = {name for name in INNER[module] if room(name) == "data"}
        assert data <= {"data.catalogue", "data.own"}, module


def test_nothing_imports_snakemake() -> None:
    assert [module for module in FILES if "snakemake" in OUTER[module]] == []


def test_one_module_alone_imports_neural_tangents() -> None:
    importing = [module for module in FILES if "neural_tangents" in OUTER[module]]
    assert importing == ["neural_tangents_compat"]


def test_what_computes_touches_no_files() -> None:
    files = {"glob", "io", "os", "pathlib", "shutil", "tempfile"}
    computing = [m for m in FILES if room(m) in COMPUTING]
    assert len(computing) > 10
    assert {module: OUTER[module] & files for module in computing if OUTER[module] & files} == {}


def loaded_by(program: str) -> set[str]:
    """The top-level modules that are loaded after a program ran in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "module",
    ["settings", "declarations", "data.catalogue", "data.own", "plan.cells", "plan.experiment"],
)
def test_what_a_plan_needs_imports_no_numerical_library(module: str) -> None:
    assert loaded_by(f"import ntk_mnist.{module}") & HEAVY == set()


def test_the_rules_import_no_numerical_library() -> None:
    files = [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk")]
    lines = [
        line
        for file in files
        for line in re.findall(r"^(?:from|import) ntk_mnist.*$", file.read_text(), re.M)
    ]
    assert len(lines) > 5
    assert loaded_by("\n".join(lines)) & HEAVY == set()


def test_the_settings_need_no_library_but_msgspec() -> None:
    libraries = loaded_by("import ntk_mnist.settings") - loaded_by("import msgspec")
    assert libraries - set(sys.stdlib_module_names) == {"ntk_mnist"}


def test_importing_the_package_imports_nothing_else() -> None:
    assert loaded_by("import ntk_mnist") - loaded_by("") == {"ntk_mnist"}
