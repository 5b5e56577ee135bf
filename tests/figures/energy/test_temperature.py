import pandas as pd
import pytest

from pipeline.figures.energy.temperature import temperature

QUANTITIES = ("accuracy", "minima", "global", "metastable", "single", "part")


def table():
    rows = [
        {"factor": factor, "quantity": name, "median": 0.1 * k + factor / 10,
         "low": 0.1 * k, "high": 0.1 * k + 0.4, "n": 6}
        for factor in (0.5, 1.0, 2.0)
        for k, name in enumerate(QUANTITIES)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_title_quotes_the_mixed_share_at_the_temperature_of_training(style):
    title = temperature(style, table()).get_suptitle()
    assert "0.40 of the fixed points mix" in title
    assert "6 seeds" in title


def test_every_quantity_has_its_curve_and_its_band(style, bands, assert_labelled):
    figure = temperature(style, table())
    left, right = figure.axes
    assert (len(bands(left)), len(bands(right))) == (2, 3)
    assert left.lines[0].get_xdata().tolist() == [0.5, 1.0, 2.0]
    assert left.lines[0].get_ydata().tolist() == pytest.approx([0.05, 0.1, 0.2])
    assert_labelled(figure)


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: temperature(style, table()))
