"""Every recipe of the documentation, run as it stands there, in a checkout.

The fenced blocks of a page are taken in their order: ``sh`` and ``python`` run, ``yaml`` is written to
the file that its first line names, ``diff`` is applied, and ``text`` is what the block before it
prints, up to a little in its decimals. What cannot run in a test says why in a comment above it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import one_machine_slurm as cluster
import pytest
from checkout import REPOSITORY, Checkout, copy, forks, one_at_a_time

from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import read

DOCS = REPOSITORY / "docs"
RECIPES = sorted(page.stem for page in (DOCS / "recipes").glob("*.md"))
_BLOCK = re.compile(r"(?:<!-- (Not run here[^>]*) -->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S)
_NUMBER = re.compile(r"[-+]?\d+\.\d+")

pytestmark = pytest.mark.slow
#: One worker runs these, which share a first run.
together = pytest.mark.xdist_group("recipes")


class Block(NamedTuple):
    language: str
    text: str
    not_run: str = ""


def blocks(page: str) -> list[Block]:
    text = (DOCS / f"recipes/{page}.md").read_text()
    found = [Block(language, body, why) for why, language, body in _BLOCK.findall(text)]
    assert len(found) * 2 == len(re.findall("^```", text, re.M))
    return found


def follow(checkout: Checkout, recipe: list[Block]) -> None:
    """Do what a page says."""
    checkout.python_path = str(checkout.folder / "src")
    checkout.programs = forks()
    printed = ""
    for language, text, not_run in recipe:
        if not_run:
            continue
        match language:
            case "yaml":
                (name,) = re.findall(r"\A# (\w+\.yaml)\n", text)
                (checkout.folder / name).write_text(text)
            case "diff":
                patch = checkout.folder / "recipe.diff"
                patch.write_text(text)
                printed = run(checkout, ["git", "apply", patch.name])
            case "sh":
                printed = run(checkout, ["bash", "-euo", "pipefail", "-c", text])
            case "python":
                printed = run(checkout, [sys.executable, "-W", "error", "-c", text])
            case "text":
                # An editor may drop blanks at the end of a line.
                printed = "\n".join(line.rstrip() for line in printed.strip().splitlines())
                assert _NUMBER.split(printed) == _NUMBER.split(text.strip())
                pairs = (map(float, _NUMBER.findall(each)) for each in (printed, text))
                for found, said in zip(*pairs, strict=True):
                    # Another processor rounds otherwise.
                    assert found == pytest.approx(said, abs=0.021)
            case _:
                raise AssertionError(f"a block of {language or 'no language'}: {text}")


def run(checkout: Checkout, command: list[str]) -> str:
    done = checkout.run(command)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def begun(pristine_checkout: Path, shared: Path) -> Path:
    """A checkout in which the experiment ran that most recipes begin with."""
    folder = shared / "recipes"
    with one_at_a_time(shared):
        if not folder.exists():
            building = copy(pristine_checkout, shared / "beginning")
            follow(Checkout(building), blocks("grid")[:2])
            building.rename(folder)
    return folder


@pytest.fixture
def checkout(begun: Path, tmp_path: Path) -> Checkout:
    return Checkout(copy(begun, tmp_path / "recipe"))


def networks(checkout: Checkout) -> dict[tuple[str, int, int, int], float]:
    """How long each network took to train, which would differ if it was trained again."""
    table, _ = read(checkout.folder / "results/mine/network.parquet", TABLE_SCHEMAS["network"])
    return {
        (row["activation"], row["width"], row["size"], row["seed"]): row["train_seconds"]
        for row in table.to_pylist()
    }


@together
@pytest.mark.parametrize("page", [p for p in RECIPES if p not in ("activation", "cluster", "grid")])
def test_a_recipe_does_what_it_says(page: str, checkout: Checkout) -> None:
    follow(checkout, blocks(page))


@together
@pytest.mark.parametrize("page", ["activation", "grid"])
def test_a_larger_grid_runs_only_what_is_new(page: str, checkout: Checkout) -> None:
    before = networks(checkout)
    follow(checkout, blocks(page))
    after = networks(checkout)
    assert len(before) == 2
    assert len(after) == {"activation": 4, "grid": 12}[page]
    assert {cell: after[cell] for cell in before} == before


@pytest.fixture
def slurm() -> Iterator[None]:
    if why := cluster.unavailable():
        pytest.skip(why)
    with cluster.slurm():
        yield


# A machine can have only one Slurm.
@pytest.mark.xdist_group("slurm")
@pytest.mark.usefixtures("slurm")
def test_the_recipe_of_a_cluster_does_what_it_says(pristine_checkout: Path, tmp_path: Path) -> None:
    checkout = Checkout(copy(pristine_checkout, tmp_path / "recipe"))
    # The nodes are this machine.
    for wait in ("latency-wait: 60", "slurm-init-seconds-before-status-checks: 20"):
        checkout.edit("profiles/slurm/config.yaml", wait, f"{wait.split()[0]} 2")
    *recipe, again = blocks("cluster")
    follow(checkout, recipe)
    jobs = len(cluster.jobs())
    assert jobs >= 2
    follow(checkout, [again])
    assert len(cluster.jobs()) == jobs
