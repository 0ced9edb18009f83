"""What a cell asks of the machine or of a cluster, and which cells share a submission."""

from ntk_mnist.batches import Batches
from ntk_mnist.cost import (
    kernel_cluster_threads,
    kernel_memory_mb,
    kernel_seconds,
    network_memory_mb,
    network_seconds,
)

# The two Snakemakes under which a submitted cell runs.
SUBMITTED_MB = 300
PIXELS = CATALOGUE[DATASET].pixels
BATCHES = Batches(60 * config["batch_minutes"])


def batched():
    """Whether the profile asks for batches of cells; not known before rules are planned."""
    return "cells" in workflow.group_settings.group_components


def threads_of(cell_threads):
    """Threads that Snakemake counts for a cell.

    Within a batch on a cluster, all there are: the batch's memory is asked for one cell at a
    time.
    """
    return workflow.cores if workflow.remote_exec else cell_threads


def left_alone(shard):
    """An output that Snakemake leaves alone until it is replaced, in a batch on a cluster.

    A second attempt at a batch starts all of its cells; those that are finished see it.
    """
    return update(shard) if workflow.remote_exec else shard


def network_mem_mb(wildcards, attempt):
    width, size = int(wildcards.width), int(wildcards.size)
    cell = network_memory_mb(width, NETWORK["depth"], size, PIXELS)
    return attempt * (cell + SUBMITTED_MB * batched())


def kernel_mem_mb(wildcards, attempt):
    cell = kernel_cell(wildcards)
    memory = kernel_memory_mb(cell.size, config["test_size"], len(cell.kinds), PIXELS)
    return attempt * (memory + SUBMITTED_MB * batched())


def place(cell, kind, seconds):
    """The cell's batch, a group of Snakemake's where the profile asks for it; and its minutes."""
    batch, minutes = BATCHES.place(cell, kind, seconds)
    if not batched():
        return None, minutes
    name = f"batch{batch}"
    # A group of the profile's kind `cells`: put together, though nothing links its cells.
    workflow.parent_groupids[name] = "cells"
    return name, minutes


def network_work(wildcards):
    width, size = int(wildcards.width), int(wildcards.size)
    return network_seconds(width, NETWORK["depth"], size, PIXELS, NETWORK["epochs"])


def kernel_work(wildcards):
    cell = kernel_cell(wildcards)
    depth = cell.architecture["depth"]
    return kernel_seconds(
        cell.size, config["test_size"], len(cell.kinds), depth, PIXELS
    )


def network_place(wildcards):
    cell = tuple(map(int, wildcards))
    # One submission asks for what its largest cell takes: for no other cell twice its need.
    memory = network_mem_mb(wildcards, attempt=1).bit_length()
    kind = ("network", network_threads(int(wildcards.width)), memory)
    return place(cell, kind, network_work(wildcards))


def kernel_place(wildcards):
    memory = kernel_mem_mb(wildcards, attempt=1).bit_length()
    kind = ("kernel", len(wildcards), kernel_cell(wildcards).threads, memory)
    return place(("kernel", *wildcards), kind, kernel_work(wildcards))
