"""Bad values in the conjunction lab's sections: each is one line that names its key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from faults import fault
from test_params import REAL, STAGES, put

TWO_SETS = "two disjoint sets of 4 targets do not fit into 7 positions beside the rule bit"
REFUSED = {
    "gains.positions": (1, "must be >= 2, got 1"),
    "gains.gains": ([1.0, 1.0], "low < high, got [1.0, 1.0]"),
    "samples.train": (0, "conjunction.samples.train must be >= 1, got 0"),
    "samples.tasks.plain_tutorial.targets": (14, "targets must be <= 13 (the positions that carry"),
    "compare.train": (0, "conjunction.compare.train must be >= 1, got 0"),
    "compare.valid": (0, "conjunction.compare.valid must be >= 1, got 0"),
    "compare.tasks": ({}, "conjunction.compare.tasks"),
    "compare.tasks.s2.form": ("both", "must be 'plain' or 'query', got 'both'"),
    "compare.tasks.s2.targets": (17, "targets must be <= 16 (the positions that carry bits)"),
    "compare.tasks.s4_balanced.positions": (8, TWO_SETS),
    "compare.tasks.s4_tutorial.tolerance": (0.05, "since labels are 1 in p^s = 0.25 of cases"),
    "compare.tasks.s2.p": (1.0, "p must be < 1, got 1.0"),
    "compare.tasks.s4_tutorial.p": (0.0, "p must be > 0, got 0.0"),
    "compare.tasks.s2.tolerance": (0.6, "tolerance must be <= 0.5, got 0.6"),
    "compare.tasks.s2.tries": (0, "tries must be >= 1, got 0"),
    "rule.tasks.rule.positions": (4, "two disjoint sets of 2 targets do not fit into 3 positions"),
    "train_mlp.fit.model.widths": ([], "conjunction.train_mlp.fit.model.widths"),
    "train_mlp.fit.model.dropout": (1.0, "must be < 1, got 1.0"),
    "train_attention.fit.model.queries": ("all", "must be 'tokens', 'positions' or 'cls'"),
    "train_attention.members_per_cell": (0, "must be >= 1, got 0"),
    "search.targets": (17, "conjunction.search.targets must be <= "),
    "search.threshold": (0.5, "must be > 0.5, got 0.5"),
    "search.valid": (0, "must be >= 1, got 0"),
    "complexity.mlp.contexts": ({16: 0, 32: 9}, "conjunction.complexity.mlp.contexts"),
    "complexity.linear.max_samples": (0, "must be >= 1, got 0"),
    "scaling.resamples": (99, "must be >= 100, got 99"),
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
