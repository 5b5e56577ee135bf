import numpy as np
import pandas as pd
import pytest

from figures.oscillator.made import left_titles
from pipeline.figures.oscillator import names
from pipeline.figures.oscillator.energy import energies
from pipeline.figures.style import FLOOR
from pipeline.labs.oscillator.report.energy import CONSERVED, Verdict

# experiment, model, drift, spread, n
MODELS = [
    ("O2", "time_network", 0.1, 0.02, 5),
    ("O5", "my_model", 1.0, 0.3, 3),
    ("O5", "dmd", 1e-14, 0.0, 1),
    ("O5", "other", 0.5, 0.4, 3),
]


def table():
    rows = [
        {"experiment": e, "condition": c, "quantity": q, "median": m, "low": m / 2, "high": 3 * m,
         "n": n}
        for e, c, drift, spread, n in MODELS
        for q, m in (("energy_drift", drift), ("energy_spread", spread))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def draw(style):
    return lambda: energies(style, table(), Verdict(conserving=11, models=31), names.words)


def test_the_title_answers_its_question(draw):
    title = draw().get_suptitle()
    for words in ("Within 1%", "11 of 31 trained models", "1 to 5 seeds"):
        assert words in title


def test_an_experiment_is_a_panel_and_its_models_are_sorted_by_drift_and_called_by_words(draw):
    first, second = (figure := draw()).axes
    assert left_titles(figure) == ["O2  network of time", "O5  the study's attention models"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["network of time"]
    assert [label.get_text() for label in second.get_yticklabels()] == [
        "in-context DMD (oracle)", "other", "my model",
    ]  # fmt: skip
    assert second.get_ylim() == (2.5, -0.5)


def test_drift_and_spread_are_drawn_in_the_row_of_their_model(draw):
    axis = draw().axes[1]
    assert axis.get_xscale() == "log"
    assert axis.get_xlabel()
    drift, spread = axis.containers
    np.testing.assert_allclose(drift.lines[0].get_xdata(), [1.0, 1e-14, 0.5])
    np.testing.assert_allclose(spread.lines[0].get_xdata(), [0.3, FLOOR, 0.4])
    # Drift above, spread below the line of their model.
    np.testing.assert_allclose(drift.lines[0].get_ydata(), [1.9, -0.1, 0.9])
    np.testing.assert_allclose(spread.lines[0].get_ydata(), [2.1, 0.1, 1.1])


def test_the_line_is_where_energy_counts_as_right(draw):
    figure = draw()
    for axis in figure.axes:
        assert [set(line.get_xdata()) for line in axis.lines if line.get_label() == "1%"] == [
            {CONSERVED}
        ]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(labels) == {"drift at the end", "spread over time", "1%"}


def test_the_same_numbers_are_the_same_bytes(draw, assert_same_bytes):
    assert_same_bytes(draw)
