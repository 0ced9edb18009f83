"""Squared error and accuracy against predictive variance."""

from charts.made_up_tables import KINDS, SIZES, TWO, calibration
from charts.specifications import drawn, found

from ntk_mnist.charts.calibration import draw


def test_every_group_of_each_kernel_and_size_is_drawn() -> None:
    points = drawn(draw({"calibration": calibration()}).to_dict())
    # The panels above and below draw the same two groups of each size.
    assert len(points) == len(KINDS) * len(SIZES) * 2
    assert set(points["accuracy"]) == {0.95, 0.9}
    assert set(points["squared_error"]) == {0.025, 0.05}


def test_a_group_without_variance_has_no_place_on_the_log_axis() -> None:
    table = calibration()
    exact = (table["size"] == 128) & (table["fraction"] == 0.5)
    assert exact.sum() == len(KINDS)
    table.loc[exact, "variance"] = 0.0
    points = drawn(draw({"calibration": table}).to_dict())
    assert len(points) == 2 * len(table) - len(KINDS)
    # The accuracy below is still drawn.
    assert (points["variance"] == 0).sum() == len(KINDS)


def test_panels_of_one_kernel_have_the_same_axes_for_all_architectures() -> None:
    spec = draw({"calibration": calibration(TWO)}).to_dict()
    for channel, field in [("x", "variance"), ("y", "squared_error"), ("y", "accuracy")]:
        scales = [c["scale"] for c in found(spec, channel) if c["field"] == field]
        assert len(scales) >= len(TWO) * len(KINDS)
        assert all(scale == scales[0] for scale in scales)
