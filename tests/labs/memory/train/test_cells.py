import math
import re

import pytest
import torch

from labs.memory.small_models import config
from pipeline.config import ConfigError
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.memory import distributions, low_rank, problems
from pipeline.labs.memory.models.attention import InitialConfig
from pipeline.labs.memory.train.cells import (
    SAMPLES,
    Cell,
    EngineConfig,
    ExactConfig,
    PublishedConfig,
    train_cell,
)

ADAM = OptimizerConfig(
    name="Adam", learning_rate=0.02, options={}, schedule="cosine", final_fraction=0.0,
    warmup_steps=0,
)  # fmt: skip
PLAIN = InitialConfig(embedding=1.0, OV=1.0)


def engine(kind, steps=60, batches=6, epochs=2, batch_size=8, last=3, dtype="float64"):
    return EngineConfig(
        engine=kind,
        exact=ExactConfig(
            steps=steps, optimizer=ADAM, initial=PLAIN, dtype=dtype, record_every=10,
            memory_gib=1.0,
        ),
        published=PublishedConfig(
            batches=batches, batch_size=batch_size, epochs=epochs, last=last, optimizer=ADAM,
            initial=PLAIN, dtype="float64", record_every=4,
        ),
    )  # fmt: skip


def table(seed, N=6):
    supports = families.draw_supports(N, (N, N, 1), torch.Generator().manual_seed(seed))
    return families.power_unif((1.0, 1.0, 1.0), supports, N)


def uncertain(seed, N=6):
    supports = families.draw_supports(N, (4, 3, N), torch.Generator().manual_seed(seed))
    return families.power_unif((0.9, 0.9, 0.6), supports, N)


def cell(seeds=(0, 1), kind="exact", distribution=table, objective="divergence", **changes):
    return Cell(
        name="cell", config=config(), seeds=seeds, distributions=[distribution(s) for s in seeds],
        engine=engine(kind, **changes), objective=objective,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["exact", "published"])
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
    result = train_cell(cell((0,), "exact", distribution, steps=800))
    fit = low_rank.FitConfig(iterations=2000, work=10**9, history=10, neglected=0.0, floor=1e-4)
    best = low_rank.fit(distribution(0), 4, fit, torch.Generator().manual_seed(0))[1]
    # A certain table has no optimum but a limit of 0; L-BFGS stops at a change of 1e-12.
    assert float(result.measures["divergence"][0]) >= best - 1e-9


def test_the_published_yardstick_is_the_mean_over_the_last_batches():
    one = cell((3,), "published", batches=4, epochs=1, last=1)
    result = train_cell(one)
    triples = problems.sampled_contexts(one.distributions, 4 * 8, generators([3], SAMPLES))
    assert triples.shape == (1, 32, 2)
    # One batch of eight contexts: a multiple of an eighth.
    eighths = float(result.measures["accuracy_train"][0]) * 8
    assert eighths == pytest.approx(round(eighths), abs=1e-9)


def test_next_tokens_of_a_certain_law_are_the_law_itself():
    both = [train_cell(cell((0,), "published", table, o)) for o in ("divergence", "next_token")]
    first, second = (r.measures["divergence"] for r in both)
    torch.testing.assert_close(first, second, atol=1e-10, rtol=0)


def test_the_whole_problem_has_the_possible_contexts_and_the_laws_entropy():
    distribution = uncertain(0)
    batch = problems.whole([distribution, uncertain(1)], torch.float64)
    assert batch.pair.shape == (2, 12)
    torch.testing.assert_close(batch.target.weight.sum(1), torch.ones(2).double())
    assert float(batch.target.entropy[0]) == pytest.approx(float(distribution.entropy()), abs=1e-12)
    assert problems.whole([table(0)], torch.float64).pair is None


def test_batches_pass_over_the_same_contexts_again():
    distribution = [table(0)]
    triples = problems.sampled_contexts(distribution, 6, generators([0], SAMPLES))
    stream = problems.batches(distribution, triples, 3, "divergence", torch.float64)
    first, second, third = (next(stream) for _ in range(3))
    assert torch.equal(first.pair, third.pair)
    assert torch.equal(torch.cat([first.pair, second.pair], 1), triples[:, :, 0])


def test_too_large_a_law_names_its_need_and_the_other_engine():
    with pytest.raises(ConfigError, match=r"about .* GiB at N = 2000.*engine: published"):
        engine("exact").refuse_too_large(2000, 10, 5, 0)
    engine("published").refuse_too_large(2000, 10, 5, 0)


def test_twice_as_wide_numbers_need_twice_the_memory():
    needs = []
    for dtype in ("float32", "float64"):
        with pytest.raises(ConfigError, match="the exact engine needs") as refusal:
            engine("exact", dtype=dtype).refuse_too_large(2000, 10, 5, 0)
        needs.append(float(re.search(r"about ([\d.]+) GiB", str(refusal.value)).group(1)))
    assert needs[1] == pytest.approx(2 * needs[0], rel=1e-3)


def test_an_average_of_more_batches_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"last must not exceed batches \* epochs = 12, got 13"):
        engine("exact", last=13)


def test_an_untrained_model_is_near_the_uniform_prediction():
    result = train_cell(cell(steps=1))
    assert bool((result.measures["divergence"] < 3 * math.log(6)).all())
