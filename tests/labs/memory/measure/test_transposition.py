import math

import pandas as pd
import pytest
import torch

from pipeline.core.nn.layers import concatenate
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data.draw import draw
from pipeline.labs.memory.data.families import AlmostRankConfig
from pipeline.labs.memory.measure import theory, transposition
from pipeline.labs.memory.train.low_rank import FitConfig, fit

FIT = FitConfig(iterations=200, work=10**9, history=10, neglected=0.0, floor=1e-4)
DRAWN = draw(
    AlmostRankConfig(
        N=5, rank=3, axis_aligned=False, high=1.0, low=0.1, logit_scales=(1.0, 6.0), seeds=(7, 9)
    )
)
LOW_RANK = concatenate(
    [fit(p, 2, FIT, generators([0])[0])[0] for p in DRAWN.distributions()]
)  # members in the order of the distributions


def test_a_context_s_divergence_averages_to_the_whole():
    one = DRAWN.distributions()[0]
    logits = torch.randn(25, 5, dtype=torch.float64, generator=generators([1])[0])
    each = transposition.context_divergences(one, logits)
    # Sums of 25 numbers of order 1 in float64.
    assert float((each * one.contexts).sum()) == pytest.approx(float(one.divergence(logits)), 1e-12)
    exact = transposition.context_divergences(one, one.conditional.log())
    assert float(exact.abs().max()) < 1e-12


def test_a_transposed_table_is_right_where_a_is_b_and_nowhere_else():
    table = transposition.ratios(DRAWN, LOW_RANK, 6.0)
    assert set(table.source) == {"seed 7", "seed 9"}
    assert len(table) == 2 * 25
    equal = table["first"] == table.second
    assert equal.sum() == 2 * 5
    # There the transposed table is the table itself, to the last bit.
    assert (table.ratio == table.ratio_in_order)[equal].all()
    assert not (table.ratio == table.ratio_in_order)[~equal].any()
    assert table[~equal].ratio.median() > 2 * table[equal].ratio.median()


def printed():
    """Nine contexts a = b of four tokens in disorder: 1.0, all others 2.0."""
    ratios = [1.0 if k % 5 == 0 else 2.0 for k in range(14)]
    return pd.DataFrame({"context": range(14), "ratio": ratios}).sample(frac=1, random_state=1)


def test_the_scale_is_the_one_whose_divergence_is_nearest_to_the_printed_one():
    table = pd.DataFrame(
        {"logit_scale": [1.0, 2.0, 3.0, 3.0], "trained": [0.001, 0.02, 0.03, 0.05]}
    )
    assert transposition.nearest_scale(table) == 2.0


def test_printed_and_own_ratios_are_separated_alike(monkeypatch):
    monkeypatch.setattr(transposition, "PRINTED_TOKENS", 4)
    rows = theory.second_order(DRAWN, LOW_RANK)
    table = transposition.compared(DRAWN, LOW_RANK, rows, printed())
    metrics = transposition.separation(table)
    known = metrics["printed"]
    assert (known["contexts"], known["equal"], known["separated"]) == (14, 3, 1.0)
    assert (known["equal_greatest"], known["other_least"]) == (1.0, 2.0)
    assert known["chance"] == pytest.approx(1 / math.comb(14, 3))
    own = metrics["transposed"]
    assert own["n"] == 2
    assert own["logit_scale"] in (1.0, 6.0)
    assert own["in_order_greatest"] == pytest.approx(1.0, abs=0.05)  # the theory is near here


def test_numbers_in_disorder_are_not_separated():
    table = pd.DataFrame(
        {"source": "printed", "first": [0, 0, 1], "second": [0, 1, 1], "ratio": [1.0, 1.5, 2.0],
         "ratio_in_order": math.nan, "logit_scale": math.nan}
    )  # fmt: skip
    own = table.assign(source="seed 0", ratio_in_order=1.0, logit_scale=3.0)
    metrics = transposition.separation(pd.concat([table, own]))
    assert metrics["printed"]["separated"] == 0.0
    assert metrics["transposed"]["separated"] == 0.0
    assert metrics["transposed"]["logit_scale"] == 3.0
