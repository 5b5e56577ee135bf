import numpy as np
import pytest
import torch

from pipeline.core.stats.bootstrap import percentile_interval, resample


def stream(kind, seed=0):
    if kind == "torch":
        return torch.Generator().manual_seed(seed)
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("kind", ["torch", "numpy"])
def test_every_row_draws_its_cases_alone_and_evenly(kind):
    drawn = resample((2000, 5), stream(kind))
    assert drawn.shape == (2000, 5)
    counts = np.bincount(drawn.ravel(), minlength=5)
    # Binomial(10000, 1/5): 2000 with a standard deviation of 40; five of them.
    assert len(counts) == 5
    assert np.abs(counts - 2000).max() < 200
    # A row with a repeated case: all but 5! / 5^5 = 3.84 % of them, +- 5 x 0.43 %.
    repeated = np.mean([len(set(row)) < 5 for row in drawn.tolist()])
    assert 0.94 < repeated < 0.984


@pytest.mark.parametrize("kind", ["torch", "numpy"])
def test_rows_drawn_at_once_are_those_drawn_in_turn(kind):
    at_once, random = resample((6, 4), stream(kind)), stream(kind)
    in_turn = [resample((4,), random) for _ in range(6)]
    assert np.array_equal(at_once, in_turn)


def test_the_interval_is_the_middle_of_the_estimates():
    # 1001 ranks: the quantile 0.025 is the 25th of them, counted from 0.
    assert percentile_interval(np.arange(1001.0)[::-1]) == (25.0, 975.0)


def test_the_interval_of_a_mean_covers_it_nearly_as_often_as_it_says():
    values = np.random.Generator(np.random.PCG64(1)).normal(size=(400, 40))
    random, covered = stream("torch"), 0
    for sample in values:
        low, high = percentile_interval(sample[resample((500, 40), random)].mean(1))
        covered += low <= 0 <= high
    # With 40 cases the percentile interval is narrow by sqrt(39/40) and Student's factor: it covers
    # 0.938 instead of 0.95. Binomial(400, 0.938): 375 with a standard deviation of 4.8; four.
    assert 356 <= covered <= 394
