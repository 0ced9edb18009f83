"""What a plan says: cells, time, disk and grouped reasons."""

from ntk_mnist.terminal.before import Planned, before, grouped
from ntk_mnist.terminal.estimate import Pace, Work
from ntk_mnist.terminal.run import Job


def planned(rule: str, *reasons: str, seconds: float = 10.0, seeds: int = 0) -> Planned:
    return Planned(Job(rule, "…", Work(rule, seconds)), reasons, seeds, 1_000_000)


NETWORKS = [planned("network", "added", seconds=600, seeds=10)] * 12
AFTER = [planned("chart", seconds=4), planned("chart", seconds=4), planned("table", seconds=4)]


def test_a_plan_says_cells_time_disk_and_why() -> None:
    jobs = [*NETWORKS, planned("kernel", "times was [10], is [20]"), planned("prepare"), *AFTER]
    assert before(jobs, 2, Pace(), "results/x", "2 cores") == [
        "To run: 12 networks of 120 seeds in all and 1 kernel; then 1 table and 2 charts.",
        "Time: about 1 h on 2 cores (a guess, as no cell ran here yet). Disk: about 13 MB in"
        " results/x.",
        "  12 networks: added",
        "  1 kernel: times was [10], is [20]",
    ]


def test_time_is_that_of_this_machine_where_it_is_known() -> None:
    (_, time, _) = before(NETWORKS, 2, Pace({"network": 0.5}), "results/x", "2 cores")
    assert time.startswith("Time: about 30 min on 2 cores (as cells took here before).")


def test_networks_of_one_seed_are_not_counted_twice() -> None:
    (first, *_) = before([planned("network", seeds=1)], 2, Pace(), "x", "2 cores")
    assert first == "To run: 1 network."


def test_a_plan_without_cells_says_what_else_runs() -> None:
    assert before(AFTER, 2, Pace(), "results/x", "2 cores") == ["To run: 1 table and 2 charts."]
    assert before([], 2, Pace(), "results/x", "2 cores") == []


def test_reasons_are_grouped_and_the_most_frequent_is_first() -> None:
    jobs = [
        planned("chart", "charts.comparison.draw changed"),
        *[planned("network", "epochs was 20, is 30", "mass was 0, is 0.9")] * 36,
        *[planned("network", "added")] * 111,
    ]
    assert grouped(jobs) == [
        "111 networks: added",
        "36 networks: epochs was 20, is 30",
        "36 networks: mass was 0, is 0.9",
        "1 chart: charts.comparison.draw changed",
    ]


def test_many_reasons_are_cut() -> None:
    jobs = [planned("network", f"reason {i}") for i in range(40)]
    lines = before(jobs, 2, Pace(), "x", "2 cores")
    assert len(lines) == 2 + 12 + 1
    assert lines[-1] == "  and 28 more reasons"
