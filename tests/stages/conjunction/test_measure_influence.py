import numpy as np

from pipeline.labs.conjunction.measure.influence import METHODS
from pipeline.labs.conjunction.report.influence import AttentionWeights, InfluenceGraphs
from pipeline.runtime.formats import records

STAGE = "conjunction_measure_influence"


def test_every_method_has_its_graph_and_its_hit_rate(chain):
    graphs = records.read_arrays(chain.made(STAGE) / "influence.npz", InfluenceGraphs)
    results = chain.metrics(STAGE)["C7"]
    assert graphs.methods == METHODS
    for method, hits in zip(METHODS, graphs.hits, strict=True):
        assert results[method]["hit"] == hits.mean()
        assert results[method]["n"] == hits.shape[1]  # models: a model's two rules are one draw


def test_attention_times_value_sums_to_the_logit(chain):
    assert chain.metrics(STAGE)["C7"]["attention_value_sum"]["abs_difference_max"] <= 1e-10


def test_weights_of_the_seed_shown_are_a_distribution(chain):
    params = chain.params(STAGE)
    file = records.read_arrays(chain.made(STAGE) / "weights.npz", AttentionWeights)
    assert int(file.seed) in params.data.seeds
    assert int(file.seeds) == len(params.data.seeds)
    # A sum of T rounded weights.
    assert np.abs(file.weights.sum(1) - 1).max() < 1e-13
    for rule in (0, 1):
        mean = file.weights[file.rules == rule].mean(0)
        assert np.abs(mean - file.statistics[rule, 0]).max() < 1e-13


def test_the_success_of_every_model_is_a_fraction_with_its_interval(chain):
    results = chain.metrics(STAGE)["C5"]
    models = ("attention", "cls_head", "mlp", "input_gains", "linear")
    assert set(results) == {f"rule_{name}" for name in models}
    for rate in results.values():
        assert rate["success_low"] <= rate["success"] <= rate["success_high"]
