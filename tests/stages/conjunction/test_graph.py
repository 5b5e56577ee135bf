import numpy as np

from pipeline.labs.conjunction.graph import METHODS
from pipeline.runtime import artifacts
from pipeline.stages.conjunction._results import GRAPH, WEIGHTS

STAGE = "conjunction_graph"


def test_every_method_has_its_graph_and_its_hit_rate(chain):
    made = artifacts.read_npz(chain.made(STAGE) / "graph.npz", **GRAPH)
    metrics = chain.metrics(STAGE)["C7"]
    assert tuple(made["methods"]) == METHODS
    for method, hits in zip(METHODS, made["hits"], strict=True):
        assert metrics[method]["hit"] == hits.mean()
        assert metrics[method]["n"] == hits.size


def test_attention_times_value_sums_to_the_logit(chain):
    assert chain.metrics(STAGE)["C7"]["attention_value_sum"]["error_max"] <= 1e-10


def test_weights_of_the_example_are_a_distribution(chain):
    made = artifacts.read_npz(chain.made(STAGE) / "weights.npz", **WEIGHTS)
    # A sum of T rounded weights.
    assert np.abs(made["weights"].sum(1) - 1).max() < 1e-13
    for rule in (0, 1):
        mean = made["weights"][made["rules"] == rule].mean(0)
        assert np.abs(mean - made["statistics"][rule, 0]).max() < 1e-13


def test_the_success_of_every_model_is_a_fraction_with_its_interval(chain):
    metrics = chain.metrics(STAGE)["C5"]
    assert set(metrics) == {f"rule_{name}" for name in ("attention", "head", "mlp", "linear")}
    for found in metrics.values():
        assert found["success_low"] <= found["success"] <= found["success_high"]
