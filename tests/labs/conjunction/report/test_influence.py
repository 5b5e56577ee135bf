import numpy as np
import pytest
import torch

from pipeline.core.stats.intervals import proportion
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.measure import influence
from pipeline.labs.conjunction.models.attention import AttentionConfig, BinaryAttention
from pipeline.labs.conjunction.report.influence import (
    ROLES,
    report,
    share_by_model,
    weight_by_role,
)
from pipeline.runtime.formats import records

TASK = TaskConfig(
    function="sparse_and_query", positions=7, targets=2, p=None, tolerance=None,
    identifiable=False, max_draws=1,
)  # fmt: skip
SEEDS = [10, 11, 12]


@pytest.fixture(scope="module")
def data():
    return draw_data(TASK, 5, 40, SEEDS)


@pytest.fixture(scope="module")
def measured(data):
    return report(model(), data, SEEDS, torch.tensor([False, True, True]))


def model():
    config = AttentionConfig(
        positions=7, d_head=2, queries="tokens", readout="each", bias=False, init_std=1.0
    )
    return BinaryAttention(config, generators(SEEDS)).double()


def test_the_weights_of_the_rules_query_are_shared_out(measured):
    weights = measured.weights
    assert weights.weights.shape == (40, 7)
    assert weights.roles == ROLES
    for role, (middle, low, high) in zip(ROLES, weights.shares, strict=True):
        assert middle == measured.weight_by_role[f"weight_{role}"]
        assert low <= middle <= high
    assert weights.seeds == 3


def test_the_weights_are_those_of_the_seed_with_the_median_on_the_active_targets(measured, data):
    weights = measured.weights
    member = SEEDS.index(int(weights.seed))
    with torch.no_grad():
        each = influence.influences(model(), data.valid)["rule_query"]
    assert np.array_equal(weights.weights, each[member].numpy())
    assert np.array_equal(weights.targets, data.targets[member].numpy())
    assert np.array_equal(weights.rules, data.valid[member, :, -1].numpy())
    # One seed of three has the median, which the summary over seeds reports too.
    shares = [weights.statistics[rule, 0][weights.targets[rule]].sum() for rule in (0, 1)]
    assert np.mean(shares) == pytest.approx(measured.weight_by_role["weight_active"], abs=1e-14)


def test_the_graphs_are_those_of_the_seed_with_the_median_number_of_hits(measured, data):
    graphs = measured.graphs
    assert graphs.methods == influence.METHODS
    assert graphs.hits.shape == (5, 2, 3)
    assert graphs.cases == 6
    by_seed = graphs.hits.sum((0, 1))
    member = SEEDS.index(int(graphs.seed))
    assert by_seed[member] == np.median(by_seed)
    assert np.array_equal(graphs.targets, data.targets[member].numpy())
    for method, count in graphs.hit_counts.items():
        assert measured.by_method[method]["hit"] == count / graphs.cases


def test_the_results_hold_every_method_and_the_solved_seeds_alone(measured):
    assert set(measured.by_method) == {*influence.METHODS, "attention_value_sum"}
    assert measured.by_method["bit_flip"]["n"] == 3
    assert measured.by_method["bit_flip"]["n_solved"] == 2
    assert 0 <= measured.by_method["attention_value_sum"]["abs_difference_max"] < 1e-10


def test_two_rules_that_agree_tell_no_more_than_one():
    once = torch.rand(1, 20, generator=torch.Generator().manual_seed(0)) < 0.7
    expected = proportion("hit", once[0])
    assert share_by_model("hit", once.expand(2, -1)) == pytest.approx(expected, abs=1e-12)
    # All right: as many models as it takes, not as many graphs.
    every = share_by_model("hit", torch.ones(2, 20).bool())
    assert every["hit_low"] == pytest.approx(0.025 ** (1 / 20), abs=1e-12)
    assert every["hit_high"] == 1.0
    assert share_by_model("hit", torch.zeros(2, 20).bool())["hit_low"] == 0.0


def test_half_a_hit_counts_as_half():
    hits = torch.tensor([[True] * 6 + [False] * 4, [True] * 7 + [False] * 3])
    share = share_by_model("hit", hits)
    assert share["hit"] == pytest.approx(0.65, abs=1e-15)
    six, seven = (proportion("hit", row) for row in hits)
    assert six["hit_low"] < share["hit_low"] < seven["hit_low"]
    assert six["hit_high"] < share["hit_high"] < seven["hit_high"]
    assert share["n"] == 10


def test_without_a_solved_seed_there_is_no_rate_among_them(data):
    measured = report(model(), data, SEEDS, torch.zeros(3).bool())
    assert "hit_solved" not in measured.by_method["bit_flip"]


def test_the_files_can_be_read_again(measured, tmp_path):
    for file in (measured.weights, measured.graphs):
        records.write_arrays(tmp_path / "file.npz", file)
        again = records.read_arrays(tmp_path / "file.npz", type(file))
        assert all(np.array_equal(a, b) for a, b in zip(*map(values, (file, again)), strict=True))


def values(file):
    return [getattr(file, name) for name in file.__dataclass_fields__]


def test_the_weight_on_active_targets_is_told_from_inactive_ones():
    targets = torch.tensor([[[0], [2]]])
    first, second = torch.zeros(2, 1, 4).double(), torch.zeros(2, 1, 4).double()
    first[0, 0] = torch.tensor([0.7, 0.1, 0.05, 0.15])  # rule 0: target 0 is active
    second[0, 0] = torch.tensor([0.1, 0.2, 0.6, 0.1])  # rule 1: target 2 is active
    by_role = weight_by_role([first, second], targets)
    assert by_role["weight_active"].tolist() == pytest.approx([0.65])
    assert by_role["weight_inactive"].tolist() == pytest.approx([0.075])
    assert by_role["weight_rule"].tolist() == pytest.approx([0.125])
    assert by_role["weight_others"].tolist() == pytest.approx([0.15])
