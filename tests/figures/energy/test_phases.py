import numpy as np
import pytest

from pipeline.figures.energy.phases import phases
from pipeline.labs.energy.report.phases import PhaseArrays

BETAS = np.array([1.0, 8.0, 64.0])
NUMBER = np.array([[16.0, 9.0, 1.0], [16.0, 4.0, 2.0]])
BRANCH = np.array([2.0, 6.0, 20.0])
MEDIANS = np.array([[16.0, 12.0, 1.0], [16.0, 1.5, 1.0]])


def arrays():
    kinds = np.array([[0, 1, 2], [0, 1, 1]])  # global, metastable, single
    band = np.stack([MEDIANS, MEDIANS - 0.5, MEDIANS + 0.5], axis=1)
    return PhaseArrays(
        betas=BETAS,
        similarities=np.array([0.0, 0.9]),
        fraction=np.stack([(kinds == k).astype(float) for k in range(3)]),
        effective_number=NUMBER,
        branch_betas=BRANCH,
        branch_number=band,
        branch_energy=-band,
    )


def results(low=5.0, high=11.0):
    return {
        "hysteresis": {"single_branch_ends": low, "global_branch_ends": high, "n": 8},
        "equal_energy": {"beta": 7.46, "n": 8, "theory": 8.3},
    }


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ((5.0, 11.04), "both stable from $\\beta$ = 5.0 to 11.0"),
        ((9.0, 8.0), "nowhere both stable"),
    ],
)
def test_the_title_says_whether_the_branches_coexist(style, ends, verdict):
    assert verdict in phases(style, arrays(), results(*ends)).get_suptitle()


def test_every_place_of_the_diagram_has_its_number_and_the_letter_of_its_kind(style):
    panel = phases(style, arrays(), results()).axes[0]
    assert panel.collections[0].get_array().tolist() == NUMBER.tolist()
    letters = {text.get_position(): text.get_text() for text in panel.texts}
    assert [[letters[x, y] for x in range(3)] for y in range(2)] == [list("GMS"), list("GMM")]
    assert panel.get_title() == "G global, M metastable, S single"
    assert [label.get_text() for label in panel.get_yticklabels()] == ["0", "0.9"]


def test_branches_are_bands_and_equal_energies_a_line(style, bands):
    figure = phases(style, arrays(), results())
    for axes, sign in ((figure.axes[1], 1), (figure.axes[2], -1)):
        for k, outline in enumerate(bands(axes)):
            assert axes.lines[k].get_ydata().tolist() == (sign * MEDIANS[k]).tolist()
            assert np.abs(outline[:, 1]).max() == MEDIANS[k].max() + 0.5
        assert axes.lines[2].get_xdata() == [7.46, 7.46]
        assert axes.lines[2].get_label() == "equal energies, $\\beta$ = 7.5"
        assert axes.get_title() == "similarity 0, median of 8 seeds"
    for axes in figure.axes[:3]:
        assert axes.get_xlabel()
        assert axes.get_ylabel()


def test_without_a_crossing_of_energies_there_is_no_line(style):
    only = {"hysteresis": results()["hysteresis"]}
    assert len(phases(style, arrays(), only).axes[1].lines) == 2


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: phases(style, arrays(), results()))
