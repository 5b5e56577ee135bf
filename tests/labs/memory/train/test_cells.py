import math

import pytest
import torch

from labs.memory.small_models import config
from labs.memory.train.engines import engine
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import batches, families
from pipeline.labs.memory.train import low_rank
from pipeline.labs.memory.train.cells import SAMPLES, Cell, make_cell, train_cell

ENGINES = ["full_batch", "minibatch"]


def table(seed, N=6):
    supports = families.draw_supports(N, (N, N, 1), torch.Generator().manual_seed(seed))
    return families.power_unif((1.0, 1.0, 1.0), supports, N)


def uncertain(seed, N=6):
    supports = families.draw_supports(N, (4, 3, N), torch.Generator().manual_seed(seed))
    return families.power_unif((0.9, 0.9, 0.6), supports, N)


def cell(seeds=(0, 1), kind="full_batch", distribution=table, objective="divergence", **changes):
    return Cell(
        name="cell", config=config(), seeds=seeds, distributions=[distribution(s) for s in seeds],
        engine=engine(kind, **changes), objective=objective,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("distribution", [table, uncertain])
def test_a_member_trains_as_its_seed_alone(kind, distribution):
    together = train_cell(cell((0, 1, 2), kind, distribution))
    alone = train_cell(cell((1,), kind, distribution))
    for name, values in together.measures.items():
        # 60 float64 steps of the same sums in another order.
        torch.testing.assert_close(values[1:2], alone.measures[name], atol=1e-9, rtol=0)


def test_training_learns_a_table_and_measures_it_exactly():
    result = train_cell(cell(steps=400))
    assert bool((result.measures["accuracy"] > 0.9).all())
    assert bool((result.measures["divergence"] < 0.5).all())
    assert bool((result.measures["divergence"] >= 0).all())


@pytest.mark.parametrize("distribution", [table, uncertain])
def test_no_model_beats_the_low_rank_optimum(distribution):
    result = train_cell(cell((0,), "full_batch", distribution, steps=800))
    fit = low_rank.FitConfig(iterations=2000, work=10**9, history=10, neglected=0.0, floor=1e-4)
    best = low_rank.fit(distribution(0), 4, fit, torch.Generator().manual_seed(0))[1]
    # A certain table has no optimum but a limit of 0; L-BFGS stops at a change of 1e-12.
    assert float(result.measures["divergence"][0]) >= best - 1e-9


def test_accuracy_on_the_train_distribution_is_the_mean_over_the_last_batches():
    one = cell((3,), "minibatch", batches_per_epoch=4, epochs=1, eval_batches=1)
    result = train_cell(one)
    triples = batches.sampled_contexts(one.distributions, 4 * 8, generators([3], SAMPLES))
    assert triples.shape == (1, 32, 2)
    # One batch of eight contexts: a multiple of an eighth.
    eighths = float(result.measures["accuracy_train"][0]) * 8
    assert eighths == pytest.approx(round(eighths), abs=1e-9)


def test_next_tokens_of_a_certain_distribution_are_the_distribution_itself():
    both = [train_cell(cell((0,), "minibatch", table, o)) for o in ("divergence", "next_token")]
    first, second = (r.measures["divergence"] for r in both)
    torch.testing.assert_close(first, second, atol=1e-10, rtol=0)


def test_the_whole_batch_has_the_possible_contexts_and_the_distributions_entropy():
    distribution = uncertain(0)
    batch = batches.full_batch([distribution, uncertain(1)], torch.float64)
    assert batch.pair.shape == (2, 12)
    torch.testing.assert_close(batch.target.weight.sum(1), torch.ones(2).double())
    assert float(batch.target.entropy[0]) == pytest.approx(float(distribution.entropy()), abs=1e-12)
    assert batches.full_batch([table(0)], torch.float64).pair is None


def test_batches_pass_over_the_same_contexts_again():
    distribution = [table(0)]
    triples = batches.sampled_contexts(distribution, 6, generators([0], SAMPLES))
    stream = batches.minibatches(distribution, triples, 3, "divergence", torch.float64)
    first, second, third = (next(stream) for _ in range(3))
    assert torch.equal(first.pair, third.pair)
    assert torch.equal(torch.cat([first.pair, second.pair], 1), triples[:, :, 0])


def test_an_untrained_model_is_near_the_uniform_prediction():
    result = train_cell(cell(steps=1))
    assert bool((result.measures["divergence"] < 3 * math.log(6)).all())


def test_accuracy_of_full_batches_on_the_train_distribution_counts_the_sampled_contexts():
    one = cell((3,), steps=400, eval_contexts=32)
    result = train_cell(one)
    triples = batches.sampled_contexts(one.distributions, 32, generators([3], SAMPLES))
    # Every context is as likely as its count among 32: a multiple of a 32nd.
    times = float(result.measures["accuracy_train"][0]) * 32
    assert triples.shape == (1, 32, 2)
    assert times == pytest.approx(round(times), abs=1e-9)


def test_what_a_cell_is_trained_with_stands_flat_beside_its_sizes():
    params = cell(steps=7).params
    assert params["n_heads"] == 3
    assert params["engine"] == "full_batch"
    assert params["steps"] == 7
    batched = cell(kind="minibatch").params
    assert batched["steps"] == 12
    assert "eval_contexts" not in batched


def test_a_cell_that_would_not_fit_is_not_made():
    whole = config(N=2000)
    with pytest.raises(ValueError, match="the full-batch engine needs about"):
        make_cell("cell", whole, [], [0], engine("full_batch"))
    assert make_cell("cell", whole, [], [0], engine("minibatch")).name == "cell"
