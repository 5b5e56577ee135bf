import numpy as np
import pytest

from figures.oscillator.test_rollouts import DT, rollouts
from pipeline.figures.oscillator.sequence import saliency, trained

LOSSES = ["last", "sequence"]
WINDOW = 5
METRICS = {
    "last": {"off_diagonal_saliency": 0.1234, "norm_W_O": 0.056, "attention_share": 0.078},
    "sequence": {"off_diagonal_saliency": 0.4321, "norm_W_O": 1.5, "attention_share": 2.5},
}


def maps():
    one = np.eye(2 * WINDOW)
    return np.stack([one, -3 * one + 0.5 * np.tri(2 * WINDOW)])


def test_there_is_a_row_of_the_study_s_panels_for_each_loss(style, assert_labelled, bands):
    figure = trained(style, rollouts(LOSSES), DT, 3)
    assert len(figure.axes) == 8
    assert_labelled(figure)
    assert [figure.axes[k].get_title(loc="left") for k in (0, 4)] == [
        "loss: last",
        "loss: sequence",
    ]
    assert [len(bands(figure.axes[k])) for k in (3, 7)] == [1, 1]
    assert "3 seeds" in figure.get_suptitle()


def test_a_map_is_drawn_over_positions_with_zero_in_the_middle_of_its_colours(style):
    figure = saliency(style, LOSSES, maps(), METRICS)
    for axis, matrix in zip(figure.axes[::2], maps(), strict=True):
        (image,) = axis.images
        np.testing.assert_array_equal(image.get_array(), matrix)
        assert image.get_clim() == pytest.approx((-np.abs(matrix).max(), np.abs(matrix).max()))
        # Channels are interleaved: 2 T rows over T positions, the first on top.
        assert image.get_extent() == [0.5, WINDOW + 0.5, WINDOW + 0.5, 0.5]
        assert axis.get_xlabel()
        assert axis.get_ylabel()
    bars = figure.axes[1::2]
    assert [bar.get_ylabel() for bar in bars] == ["derivative"] * 2


def test_above_each_map_stand_its_loss_and_its_numbers(style):
    first, second = saliency(style, LOSSES, maps(), METRICS).axes[::2]
    for axis, words in ((first, ("last", "12.3%", "0.056", "0.078")), (second, ("43.2%", "2.5"))):
        assert all(word in axis.get_title(loc="left") for word in words)


@pytest.mark.parametrize("which", ["trained", "saliency"])
def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes, which):
    draws = {
        "trained": lambda: trained(style, rollouts(LOSSES), DT, 3),
        "saliency": lambda: saliency(style, LOSSES, maps(), METRICS),
    }
    assert_same_bytes(draws[which])
