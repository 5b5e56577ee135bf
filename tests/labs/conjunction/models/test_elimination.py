import pytest
import torch

from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.models.elimination import accuracy, candidates, predict

PLAIN = TaskConfig(
    function="sparse_and",
    positions=6,
    targets=2,
    p=None,
    tolerance=None,
    identifiable=False,
    max_draws=1,
)


def test_it_keeps_what_every_positive_sample_has():
    bits = torch.tensor([[[1, 1, 1, 0, 1, 0], [1, 1, 0, 1, 1, 0], [0, 1, 1, 1, 1, 1]]]).double()
    kept = candidates(PLAIN, bits, torch.tensor([[1.0, 1.0, 0.0]]).double())
    assert kept[0, 0].tolist() == [True, True, False, False, True, False]
    assert predict(PLAIN, kept, bits)[0].tolist() == [True, True, False]


@pytest.mark.parametrize("function", ["sparse_and", "sparse_and_query"])
def test_it_never_calls_a_negative_positive(function):
    task = PLAIN.model_copy(update={"function": function, "positions": 9})
    data = draw_data(task, 12, 300, range(20))
    truth = label(data.valid, data.targets)
    kept = candidates(task, data.train, label(data.train, data.targets))
    assert bool((predict(task, kept, data.valid) <= (truth == 1)).all())
    assert bool(kept.gather(2, data.targets).all())


@pytest.mark.parametrize(("positions", "samples"), [(16, 16), (16, 24), (64, 32)])
def test_it_is_perfect_as_often_as_the_survivors_law_says(positions, samples):
    task = PLAIN.model_copy(update={"positions": positions, "targets": 3})
    seeds = range(1500)
    data = draw_data(task, samples, 1, seeds)
    labels = label(data.train, data.targets)
    perfect = candidates(task, data.train, labels)[:, 0].sum(-1) == 3
    # An irrelevant position survives k positives with p^k, k ~ Binomial(samples, 1/2).
    k = torch.arange(samples + 1).double()
    weights = torch.distributions.Binomial(samples, 0.5).log_prob(k).exp()
    law = float((weights * (1 - task.probability**k) ** (positions - 3)).sum())
    # Binomial: five standard deviations.
    error = 5 * (law * (1 - law) / len(seeds)) ** 0.5
    assert float(perfect.double().mean()) == pytest.approx(law, abs=error)


def test_accuracy_is_one_where_only_the_targets_are_left():
    data = draw_data(PLAIN, 200, 100, [0, 1])
    truth = [label(bits, data.targets) for bits in (data.train, data.valid)]
    assert accuracy(PLAIN, data.train, truth[0], data.valid, truth[1]).tolist() == [1.0, 1.0]
