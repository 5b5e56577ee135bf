import numpy as np
import pytest
from matplotlib.patches import Rectangle

from pipeline.figures.conjunction.samples import samples
from pipeline.figures.style import COLOURS
from pipeline.labs.conjunction.report.samples import Samples


@pytest.fixture
def shown(task):
    bits = (np.random.default_rng(0).random((5, 6)) < 0.6).astype(float)
    query = Samples(
        task=task, seed=7, bits=bits, labels=bits[:, 0], targets=np.array([[0, 2], [1, 4]]),
        positive=0.512, seeds=20, valid=1500,
    )  # fmt: skip
    plain = Samples(
        task=task.model_copy(update={"function": "sparse_and", "p": 0.5}), seed=3, bits=bits,
        labels=bits[:, 1], targets=np.array([[3, 5]]), positive=0.25, seeds=4, valid=80,
    )  # fmt: skip
    return {"a": query, "b": plain}


def test_each_panel_says_its_task_seed_and_counts(style, shown):
    titles = [axes.get_title(loc="left") for axes in samples(style, shown).axes]
    assert titles == [
        "AND of 2 of 5 bits (rule bit), balanced; seed 7\n"
        "label 1: 0.512 of 20 × 1,500 samples (expected $p^s$ = 0.500)",
        "AND of 2 of 6 bits, P(1) = 0.5; seed 3\n"
        "label 1: 0.250 of 4 × 80 samples (expected $p^s$ = 0.250)",
    ]


def test_bits_and_labels_are_those_given(style, shown):
    for axes, task in zip(samples(style, shown).axes, shown.values(), strict=True):
        image = np.asarray(axes.images[0].get_array().filled(np.nan))
        assert np.array_equal(image[:, :6], task.bits)
        assert np.array_equal(image[:, 7], task.labels)
        assert bool(np.isnan(image[:, 6]).all())


def test_the_frames_stand_on_the_targets_in_the_rules_colours(style, shown):
    import matplotlib.colors as colors

    for axes, task in zip(samples(style, shown).axes, shown.values(), strict=True):
        *frames, _label = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        drawn = [(round(f.get_x() + 0.42), colors.to_hex(f.get_edgecolor())) for f in frames]
        assert drawn == [
            (position, COLOURS[rule].lower())
            for rule, targets in enumerate(task.targets)
            for position in targets
        ]


def test_the_last_position_is_the_rule_only_where_there_is_one(style, shown):
    ticks = [[t.get_text() for t in axes.get_xticklabels()] for axes in samples(style, shown).axes]
    assert ticks == [["0", "rule", "label"], ["0", "5", "label"]]
