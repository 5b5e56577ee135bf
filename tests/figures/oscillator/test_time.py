import numpy as np
import pandas as pd
import pytest

from figures.oscillator.test_rollouts import DT, STEPS, TIME, rollouts
from pipeline.figures.oscillator.time import energies, network
from pipeline.figures.style import FLOOR

RATIO = np.stack([-0.1 * TIME, -0.2 * TIME, 0.05 * TIME])
MODELS = [("O2", "time_network"), ("O5", "dmd"), ("O6", "dmd")]


def table():
    rows = [
        {"experiment": e, "condition": c, "quantity": q, "median": m, "low": m / 2, "high": 3 * m,
         "n": 3}
        for k, (e, c) in enumerate(MODELS)
        for q, m in (("energy_drift", 0.1**k), ("energy_spread", 0.0 if k else 0.02))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_network_has_the_study_s_panels_and_its_energy(style, assert_labelled, bands):
    figure = network(style, rollouts(["time_network"]), RATIO, DT, 5)
    assert len(figure.axes) == 4
    assert_labelled(figure)
    panel = figure.axes[3]
    np.testing.assert_allclose(panel.lines[0].get_xydata(), np.stack([TIME, RATIO[0]], axis=1))
    (outline,) = bands(panel)
    assert outline[:, 1].min() == pytest.approx(-0.2 * DT * STEPS)
    assert set(panel.lines[1].get_ydata()) == {0}, "what is conserved"
    assert "5 seeds" in figure.get_suptitle()


def test_the_energy_of_every_model_is_a_row_with_drift_and_spread(style, assert_labelled):
    (axis,) = (figure := energies(style, table())).axes
    assert axis.get_xlabel()
    assert [label.get_text() for label in axis.get_yticklabels()] == [
        f"{experiment}  {name}" for experiment, name in MODELS
    ]
    assert axis.get_xscale() == "log"
    drift, spread = axis.containers
    np.testing.assert_allclose(drift.lines[0].get_xdata(), [1.0, 0.1, 0.01])
    np.testing.assert_allclose(spread.lines[0].get_xdata(), [0.02, FLOOR, FLOOR])
    # Drift above, spread below the line of their model; the first model on top.
    assert np.all(np.round(drift.lines[0].get_ydata()) == [0, 1, 2])
    assert np.all(drift.lines[0].get_ydata() < spread.lines[0].get_ydata())
    assert axis.get_ylim() == (2.5, -0.5)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(labels) == {"drift at the end", "spread over time", "1 %"}


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: energies(style, table()))


def test_the_same_network_is_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: network(style, rollouts(["time_network"]), RATIO, DT, 5))
