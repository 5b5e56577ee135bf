import numpy as np
import pytest

from figures.oscillator.made import DT, left_titles, rollouts, shape, training, windows
from pipeline.figures.oscillator.sequence import saliency, trained
from pipeline.labs.oscillator.report.saliency import SaliencyMaps
from pipeline.labs.oscillator.train.studies import SequenceTrainConfig

LOSSES = ("last", "sequence")
WINDOW = 5
RESULTS = {
    "last": {"norm_W_O": 0.056, "attention_share": 0.078},
    "sequence": {"norm_W_O": 1.5, "attention_share": 2.5},
}
TRAIN = SequenceTrainConfig(
    seeds=(10, 11, 12), model=shape(2, 2, 1, True), losses=LOSSES, training=training()
)


def maps():
    one = np.eye(2 * WINDOW)
    scales = np.array([[1.0, 2.0, 3.0], [-1.0, -2.0, 5.0]])
    return SaliencyMaps(
        loss=LOSSES,
        seeds=np.array([[7, 8, 9]] * 2),
        maps=scales[:, :, None, None] * (one + 0.5 * np.tri(2 * WINDOW)),
        off_diagonal=np.array([[0.123, 0.2, 0.3], [0.769, 1.67e-6, 2e-6]]),
        median=np.array([1, 2]),
    )


@pytest.fixture
def draws(style):
    data = windows((2.0, 2.0), window=40)
    return {
        "trained": lambda: trained(style, rollouts(LOSSES), data, TRAIN, DT),
        "saliency": lambda: saliency(style, maps(), RESULTS),
    }


def test_there_is_a_row_of_the_study_s_panels_for_each_loss(draws, assert_labelled):
    figure = draws["trained"]()
    assert len(figure.axes) == 8
    assert_labelled(figure)
    titles = left_titles(figure)
    assert [titles[k] for k in (0, 4)] == ["last-position loss", "whole-sequence loss"]
    assert [titles[k] for k in (2, 6)] == ["seed 10", "seed 11"]
    for words in ("windows of 40 states", "= 2 rad/s", "1 layer of (2, 2)", "each of 3 seeds"):
        assert words in figure.get_suptitle()


def test_no_median_hides_a_seed_whose_error_is_another(draws, bands):
    figure, data = draws["trained"](), rollouts(LOSSES)
    for k, panel in enumerate((figure.axes[3], figure.axes[7])):
        assert not bands(panel)
        drawn = [line.get_ydata() for line in panel.lines]
        np.testing.assert_array_equal(drawn, data.run_error[3 * k : 3 * k + 3])


def test_every_seed_s_map_is_drawn_with_zero_in_the_middle_of_its_colours(draws):
    figure = draws["saliency"]()
    panels = [axis for axis in figure.axes if axis.images]
    assert len(panels) == 6
    for axis, matrix in zip(panels, maps().maps.reshape(6, 10, 10), strict=True):
        (image,) = axis.images
        np.testing.assert_array_equal(image.get_array(), matrix)
        assert image.get_clim() == pytest.approx((-np.abs(matrix).max(), np.abs(matrix).max()))
        # Channels are interleaved: 2 T rows over T positions, the first on top.
        assert image.get_extent() == [0.5, WINDOW + 0.5, WINDOW + 0.5, 0.5]
        assert axis.get_xlabel() == "input position $j$"


def test_above_each_map_stand_its_seed_and_share_and_the_median_is_named(draws):
    figure = draws["saliency"]()
    panels = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title(loc="left") for axis in panels] == [
        "seed 7: 12 %", "seed 8, the median: 20 %", "seed 9: 30 %",
        "seed 7: 77 %", "seed 8: 0.00017 %", "seed 9, the median: 0.0002 %",
    ]  # fmt: skip
    assert panels[0].get_ylabel().startswith("last-position loss")
    assert panels[3].get_ylabel().startswith("whole-sequence loss")


def test_the_medians_of_the_weights_stand_in_the_title(draws):
    title = draws["saliency"]().get_suptitle()
    for words in ("medians over 3 seeds", "0.056", "0.078", "1.5", "2.5"):
        assert words in title


@pytest.mark.parametrize("which", ["trained", "saliency"])
def test_the_same_numbers_are_the_same_bytes(draws, assert_same_bytes, which):
    assert_same_bytes(draws[which])
