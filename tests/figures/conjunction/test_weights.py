import numpy as np
import pytest

from pipeline.figures.conjunction.weights import weights
from pipeline.labs.conjunction.report.influence import ROLES, AttentionWeights


@pytest.fixture
def file():
    generator = np.random.default_rng(0)
    return AttentionWeights(
        weights=generator.dirichlet(np.ones(6), size=20),
        labels=np.arange(20.0) % 2,
        rules=(np.arange(20) < 8).astype(float),
        statistics=generator.random((2, 2, 6)),
        targets=np.array([[0, 2], [1, 4]]),
        seed=np.array(13),
        roles=ROLES,
        shares=np.array([[0.3, 0.2, 0.4], [1e-5, 1e-7, 0.1], [0.25, 0.2, 0.3], [0.43, 0.4, 0.5]]),
        seeds=np.array(17),
    )


def test_the_title_says_where_the_weight_lies_and_which_seed_is_drawn(style, file):
    title = weights(style, file).get_suptitle()
    assert "puts 0.3 [0.2, 0.4] on the active rule's targets" in title
    assert "1e-05 [1e-07, 0.1] on the other rule's targets" in title
    assert "0.25 [0.2, 0.3] on the rule, 0.43 [0.4, 0.5] on positions that do not matter" in title
    assert "medians over 17 seeds" in title
    assert "drawn: seed 13," in title


def test_weights_are_split_by_rule_and_label(style, file):
    figure = weights(style, file)
    for rule, axes in ((0, figure.axes[0]), (1, figure.axes[2])):
        for line, value in zip(axes.lines, (1, 0), strict=True):
            chosen = (file.rules == rule) & (file.labels == value)
            assert line.get_ydata().tolist() == file.weights[chosen].ravel().tolist()
            assert line.get_label() == f"label {value}"
    titles = [figure.axes[k].get_title(loc="left") for k in (0, 2)]
    assert titles == ["rule = 0: 12 sequences", "rule = 1: 8 sequences"]


def test_means_have_their_deviations(style, file):
    figure = weights(style, file)
    for rule, axes in ((0, figure.axes[1]), (1, figure.axes[3])):
        [bar] = axes.containers
        mean, deviation = file.statistics[rule]
        assert bar[0].get_ydata().tolist() == mean.tolist()
        ends = np.array([segment[:, 1] for segment in bar[2][0].get_segments()])
        assert ends[:, 1] - ends[:, 0] == pytest.approx(2 * deviation)


def test_the_active_rules_targets_are_shaded_and_the_others_hatched(style, file):
    for axes, rule in zip(weights(style, file).axes, (0, 0, 1, 1), strict=True):
        marks = [(round(p.get_x() + 0.45), p.get_hatch()) for p in axes.patches]
        expected = [(t, None) for t in file.targets[rule]]
        assert marks == expected + [(t, "//") for t in file.targets[1 - rule]]


def test_every_axis_is_named(style, file, assert_named):
    assert_named(weights(style, file))
