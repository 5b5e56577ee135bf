import numpy as np

from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.runtime.formats import artifacts, records, saved_models

STAGE = "oscillator_measure_fixed"


def test_the_metrics_are_those_of_every_model_over_its_seeds(chain, assert_summaries):
    metrics = chain.metrics(STAGE)
    train = chain.params("oscillator_train_fixed").train
    folder = chain.made("oscillator_train_fixed")
    models = saved_models.read_models(folder / "models.safetensors", Transformer)
    assert metrics.keys() == {"O3"}
    assert metrics["O3"].keys() == models.keys()
    quantities = ("one_step", "step12_error", "r12", "energy_drift", "energy_spread")
    assert_summaries(metrics["O3"], quantities, {None: len(train.seeds)})


def test_the_table_is_the_metrics(chain):
    table = artifacts.read_csv(chain.made(STAGE) / "table.csv", ["experiment", "condition"])
    metrics = chain.metrics(STAGE)["O3"]
    assert len(table) == 5 * len(metrics)
    for row in table.itertuples():
        assert row.median == metrics[row.condition][row.quantity]
        assert (row.low, row.high) == tuple(
            metrics[row.condition][f"{row.quantity}_{end}"] for end in ("low", "high")
        )


def test_the_rollouts_for_the_figures_are_finite_and_begin_after_the_first_state(chain):
    rollouts = records.read_arrays(chain.made(STAGE) / "rollouts.npz", Rollouts)
    assert set(rollouts.model) == chain.metrics(STAGE)["O3"].keys()
    assert rollouts.predicted.shape[1] == 12
    assert bool(np.isfinite(rollouts.error).all())
    middle, low, high = np.moveaxis(rollouts.error, 1, 0)
    seeds = chain.params(STAGE).train.seeds
    assert rollouts.run_seed.tolist() == list(seeds) * len(rollouts.model)
    assert set(rollouts.seed) <= set(seeds)
    assert bool(((low <= middle) & (middle <= high)).all())
    test = artifacts.read_npz(
        chain.inputs / "oscillator_data" / "fixed_test.npz", states="float64 trajectory 13 2"
    )["states"]
    example = dict(zip(rollouts.model, rollouts.true, strict=True))
    np.testing.assert_array_equal(example["gamma_0.1"], test[-1, 1:])
    np.testing.assert_array_equal(example["gamma_0"], test[len(test) // 2 - 1, 1:])
