"""The chart of published numbers and ours."""

import pandas as pd
import pytest
from charts.made_up_tables import reproduction
from charts.specifications import drawn, found, panel_titles, specification

from ntk_mnist.charts.observations import ChartError
from ntk_mnist.charts.reproduction import draw


def test_each_number_that_was_run_is_a_point_with_its_interval() -> None:
    spec = specification(draw({"reproduction": reproduction()}))
    points: pd.DataFrame = drawn(spec).set_index("item")
    assert points["difference"].to_dict() == {"nngp": 0.0, "width 8": 0.02, "width 9": -0.01}
    assert points.loc["width 8", "below"] == pytest.approx(-0.1)
    assert points.loc["width 8", "above"] == pytest.approx(0.14)
    # Without an interval, the bar has no length.
    assert list(points.loc["nngp", ["below", "above"]]) == [0, 0]
    assert panel_titles(spec) == ["Infinite width: test accuracy", "Networks: test accuracy"]
    (_, counts, _) = found(spec, "subtitle")[0]
    assert counts == (
        "1 number equal to all published decimals, 1 number within the interval of one more run, "
        "1 number different, 1 number not run"
    )


def test_without_rows_it_says_so() -> None:
    with pytest.raises(ChartError, match="no rows"):
        draw({"reproduction": pd.DataFrame(reproduction().head(0))})


def test_numbers_that_were_not_run_leave_a_sentence() -> None:
    table = reproduction()
    table = table[table["verdict"] == "not run"]
    spec = specification(draw({"reproduction": table}))
    assert "No published number was run" in str(spec)


def test_one_published_number_has_an_axis_around_it() -> None:
    table = reproduction().query("item == 'nngp'")
    spec = specification(draw({"reproduction": table}))
    (number,) = table["published"]
    # That of each layer.
    published = [x for x in found(spec, "x") if x.get("field") == "published"]
    ((low, high),) = {tuple(x["scale"]["domain"]) for x in published}
    assert low < number < high < 1.1 * number
