"""Code counts by its meaning: what it computes, not how it is written down."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import REPOSITORY

from ntk_mnist import provenance
from ntk_mnist.provenance import code, differences, of_kernel, of_network

NETWORK, KERNEL = ("ntk_mnist.commands.network",), ("ntk_mnist.commands.kernel",)
Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edit]:
    """Replace text in a module of a copy of the package, which is read instead of it."""
    source = Path(shutil.copytree(REPOSITORY / "src/ntk_mnist", tmp_path / "ntk_mnist"))
    monkeypatch.setattr(provenance, "_SOURCE", source)
    code.cache_clear()

    def replace(module: str, old: str, new: str) -> None:
        file = source / f"{module}.py"
        text, count = re.subn(old, new, file.read_text(), count=1, flags=re.S)
        assert count == 1
        file.write_text(text)
        code.cache_clear()

    yield replace
    code.cache_clear()


def test_a_cell_is_made_of_what_it_imports_and_nothing_else() -> None:
    network, kernel = set(code(NETWORK)), set(code(KERNEL))
    assert {"ntk_mnist.network", "ntk_mnist.architecture", "ntk_mnist.datasets"} <= network
    assert {"ntk_mnist.kernel", "ntk_mnist.gradient_flow", "ntk_mnist.architecture"} <= kernel
    # Imported within a function only.
    assert "ntk_mnist.neural_tangents_compat" in kernel
    assert not {"ntk_mnist.kernel", "ntk_mnist.gradient_flow"} & network
    assert "ntk_mnist.network" not in kernel
    for others in ("charts", "tables", "sources", "config", "provenance", "staleness"):
        assert f"ntk_mnist.{others}" not in network | kernel


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'^""".*?"""', '"""Another docstring."""'),
        ("# Imported here", "# Brought in here"),
        (r"layers: list\[Any\] = \[\]", "layers:   list[Any]   =   [ ]"),
        (r"layers \+= \[dense\(width\), ", "layers += [\n            dense(\n width ),"),
        (r"# The widths do not enter", "# Of the widths nothing enters"),
    ],
)
def test_comments_docstrings_and_formatting_do_not_count(edit: Edit, old: str, new: str) -> None:
    before = code(KERNEL)
    edit("architecture", old, new)
    assert code(KERNEL) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("architecture.b_std or None", "architecture.b_std"),
        ('"ntk", width=1', '"ntk", width=2'),
        (r"for _ in range\(architecture.depth\)", "for _ in range(architecture.depth + 1)"),
    ],
)
def test_a_change_of_meaning_counts_for_its_module_alone(edit: Edit, old: str, new: str) -> None:
    before = code(KERNEL)
    edit("architecture", old, new)
    changed = {name for name, value in code(KERNEL).items() if value != before[name]}
    assert changed == {"ntk_mnist.architecture"}


def test_only_the_chosen_activation_counts(edit: Edit) -> None:
    relu, erf = (("ACTIVATIONS", "relu"),), (("ACTIVATIONS", "erf"),)
    before = code(NETWORK, relu), code(NETWORK, erf)
    edit("architecture", '    "sin":', '    "cos": _Activation(jnp.cos, "Cos", {}),\n    "sin":')
    assert (code(NETWORK, relu), code(NETWORK, erf)) == before
    edit("architecture", "jax.nn.relu", "jax.nn.relu6")
    assert code(NETWORK, relu) != before[0]
    assert code(NETWORK, erf) == before[1]


SETTINGS = {"dataset": "mnist", "activation": "relu", "optimizer": "momentum", "epochs": 20}


def test_a_new_dataset_stales_no_cell(edit: Edit) -> None:
    before = of_network(SETTINGS), of_kernel(SETTINGS)
    edit(
        "datasets",
        '    "digits": Desc',
        '    "mine": Description("Mine", (), 9, 9, (2, 2), 1),\n    "digits": Desc',
    )
    assert (of_network(SETTINGS), of_kernel(SETTINGS)) == before


def test_a_change_of_how_originals_are_read_counts_for_cells(edit: Edit) -> None:
    before = of_network(SETTINGS)
    edit("originals", "type_code != 0x08", "type_code != 0x09")
    assert differences(before, of_network(SETTINGS)) == ["ntk_mnist.originals changed"]


def test_a_change_of_how_originals_are_fetched_does_not(edit: Edit) -> None:
    before = of_network(SETTINGS)
    edit("sources", "_RETRIES = 10, 30, 2", "_RETRIES = 10, 30, 3")
    assert of_network(SETTINGS) == before


def test_differences_are_told_in_words() -> None:
    made = of_network(SETTINGS)
    wanted = of_network({**SETTINGS, "epochs": 30, "mass": 0.5})
    del made["settings"]["activation"]
    made["code"]["ntk_mnist.network"] = "something else"
    made["code"]["ntk_mnist.gone"] = "something"
    made["libraries"]["jax"] = "0.4.1"
    assert differences(made, wanted) == [
        "activation is new",
        "epochs was 20, is 30",
        "mass is new",
        "ntk_mnist.gone is gone",
        "ntk_mnist.network changed",
        f"jax was 0.4.1, is {wanted['libraries']['jax']}",
    ]
