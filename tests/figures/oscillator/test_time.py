import numpy as np
import pytest

from figures.oscillator.made import DT, STEPS, TIME, left_titles, rollouts
from pipeline.figures.oscillator.time import network
from pipeline.labs.oscillator.report.energy import EnergyInTime

ENERGY = EnergyInTime(
    ratio=np.stack([-0.1 * TIME, -0.2 * TIME, 0.05 * TIME]), example=np.zeros((5, STEPS))
)


@pytest.fixture
def draw(style):
    return lambda: network(style, rollouts(["time_network"]), ENERGY, DT, 5)


def test_the_network_has_the_study_s_panels_and_its_energy(draw, assert_labelled, bands):
    figure = draw()
    assert len(figure.axes) == 4
    assert_labelled(figure)
    panel = figure.axes[3]
    expected = np.stack([TIME, ENERGY.ratio[0]], axis=1)
    np.testing.assert_allclose(panel.lines[0].get_xydata(), expected)
    (outline,) = bands(panel)
    assert outline[:, 1].min() == pytest.approx(-0.2 * DT * STEPS)
    assert outline[:, 1].max() == pytest.approx(0.05 * DT * STEPS)
    assert set(panel.lines[1].get_ydata()) == {0}, "what is conserved"


def test_it_says_its_seeds_and_which_is_shown(draw):
    figure = draw()
    assert "5 seeds" in figure.get_suptitle()
    assert left_titles(figure)[2] == "seed 10"


def test_the_same_network_is_the_same_bytes(draw, assert_same_bytes):
    assert_same_bytes(draw)
