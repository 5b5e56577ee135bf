"""Bad values in the conjunction lab's sections: each is one line that names its key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from faults import fault

from params.test_params import REAL, STAGES, put

TWO_SETS = "two disjoint sets of 4 targets do not fit into 7 positions beside the rule bit"
REFUSED = {
    "gains.positions": (1, "must be >= 2, got 1"),
    "gains.gains": ([1.0, 1.0], "low < high, got [1.0, 1.0]"),
    "plain_data.train": (0, "conjunction.plain_data.train must be >= 1, got 0"),
    "plain_data.tasks.plain_tutorial.targets": (14, "targets must be <= 13 (the positions that"),
    "accuracy_data.sparse.train": (0, "conjunction.accuracy_data.sparse.train must be >= 1, got 0"),
    "accuracy_data.text.valid": (0, "conjunction.accuracy_data.text.valid must be >= 1, got 0"),
    "accuracy_data.dense.tasks": ({}, "conjunction.accuracy_data.dense.tasks"),
    "accuracy_data.sparse.tasks.s2.function": (
        "both",
        "'sparse_and' or 'sparse_and_query', got 'both'",
    ),
    "accuracy_data.sparse.tasks.s2.targets": (
        17,
        "must be <= 16 (the positions that carry bits)",
    ),
    "accuracy_data.dense.tasks.s4_balanced.positions": (8, TWO_SETS),
    "accuracy_data.dense.tasks.s4_tutorial.tolerance": (
        0.05,
        "are 1 in p^s = 0.25 of cases",
    ),
    "accuracy_data.sparse.tasks.s2.p": (1.0, "p must be < 1, got 1.0"),
    "accuracy_data.dense.tasks.s4_tutorial.p": (0.0, "p must be > 0, got 0.0"),
    "accuracy_data.sparse.tasks.s2.tolerance": (0.6, "tolerance must be <= 0.5, got 0.6"),
    "accuracy_data.sparse.tasks.s2.max_draws": (0, "max_draws must be >= 1, got 0"),
    "rule_data.tasks.rule.positions": (4, "sets of 2 targets do not fit into 3 positions"),
    "train_mlp.fit.model.widths": ([], "conjunction.train_mlp.fit.model.widths"),
    "train_mlp.fit.model.dropout": (1.0, "must be < 1, got 1.0"),
    "train_attention.fit.model.queries": ("all", "must be 'tokens', 'positions' or 'cls'"),
    "train_attention.members_per_cell": (0, "must be >= 1, got 0"),
    "search.targets": (17, "conjunction.search.targets must be <= "),
    "search.stop_below": (0.5, "must be < 0.5, got 0.5"),
    "search.threshold": (0.5, "must be > 0.5, got 0.5"),
    "search.valid": (0, "must be >= 1, got 0"),
    "learners.mlp.first_samples": ({16: 0, 32: 9}, "conjunction.learners.mlp.first_samples"),
    "learners.linear.max_samples": (0, "must be >= 1, got 0"),
    "saturation.keys": (1, "conjunction.saturation.keys must be >= 2, got 1"),
    "saturation.widths": ([2], "conjunction.saturation.widths"),
    "perfect.tasks": ({}, "conjunction.perfect.tasks"),
    "perfect.tasks.s4.targets": (9, "two disjoint sets of 9 targets do not fit into 16 positions"),
    "additions.l1.fit.l1": (-1.0, "must be >= 0, got -1"),
    "additions.gains.fit.model.gain": (0.0, "conjunction.additions.gains.fit.model.gain must be"),
    "learners.voting.stop_above": (0.5, "must be > 0.5, got 0.5"),
    "train_rule.input_gains.model.init_std": (0.0, "must be >= 1e-06, got 0.0"),
    "bootstrap.resamples": (99, "must be >= 100, got 99"),
    "bootstrap.seed": (2**32, "must be < 4.29497e+09, got 4294967296"),
    "gains.noise": (1e200, "conjunction.gains.noise must be <= 1e+06, got 1e+200"),
    "gains.grid": (4096, "conjunction.gains: grid * grid * positions must be <= 2e+08 numbers"),
    "scaled_dot_product.d_head": (10**6, "must be <= 4096, got 1000000"),
    "plain_data.valid": (10**7, "seeds * (train + valid) * positions must be <= 2e+08 numbers in"),
    "accuracy_data.sparse.tasks.s2.positions": (5000, "positions must be <= 4096, got 5000"),
    "train_mlp.fit.model.init_std": (1e200, "must be <= 1000, got 1e+200"),
    "learners.linear.sizes_per_doubling": (65, "must be <= 64, got 65"),
    "learners.elimination.max_samples": (
        10**7,
        "learners.elimination: members_per_cell * max_samples * T must be <= 2e+08 numbers",
    ),
}


@pytest.mark.parametrize("key", REFUSED)
def test_a_value_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, key: str) -> None:
    value, message = REFUSED[key]
    content: dict[str, Any] = deepcopy(REAL)
    put(content, ("conjunction", *key.split(".")), value)
    found = fault(tmp_path, content, STAGES)
    assert found.startswith("conjunction.")
    assert message in found
    assert "\n" not in found
