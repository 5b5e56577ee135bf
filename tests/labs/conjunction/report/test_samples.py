import numpy as np

from pipeline.labs.conjunction.data.datasets import DataConfig, draw_all
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.report.samples import SHOWN, shown_samples

TASK = TaskConfig(
    function="sparse_and_query", positions=7, targets=2, p=None, tolerance=None,
    identifiable=False, max_draws=1,
)  # fmt: skip
CONFIG = DataConfig(
    seeds=(5, 6, 7), train=20, valid=200,
    tasks={"a": TASK, "b": TASK.model_copy(update={"targets": 1})},
)  # fmt: skip


def test_the_samples_are_of_the_seed_with_the_median_fraction_of_label_one():
    data = draw_all(CONFIG)
    shown = shown_samples(CONFIG, data, None)
    assert list(shown) == ["a", "b"]
    for name, samples in shown.items():
        sets, member = data[name], CONFIG.seeds.index(samples.seed)
        fractions = label(sets.valid, sets.targets).mean(1)
        assert fractions[member] == fractions.median()
        assert samples.positive == float(fractions.mean())
        assert np.array_equal(samples.bits, sets.train[member, :SHOWN].numpy())
        assert np.array_equal(samples.targets, sets.targets[member].numpy())
        assert (samples.seeds, samples.valid) == (3, 200)


def test_the_labels_are_of_the_samples_shown():
    for samples in shown_samples(CONFIG, draw_all(CONFIG), None).values():
        for bits, truth in zip(samples.bits, samples.labels, strict=True):
            assert truth == min(bits[samples.targets[int(bits[-1])]])


def test_only_the_first_tasks_are_taken():
    assert list(shown_samples(CONFIG, draw_all(CONFIG), 1)) == ["a"]
