"""Bad values in the memory lab's sections: each is one line that names its key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from faults import as_yaml, fault, refusal, write
from test_params import REAL, STAGES, put

from pipeline.__main__ import ROOT
from pipeline.runtime import dag
from pipeline.stages.check_params import TOGETHER
from pipeline.stages.memory import _check as memory_check

ALL = [*STAGES, *TOGETHER]
BETAS = "train_heads.training.exact.optimizer.options.betas"
FROZEN = dict.fromkeys(("E", "P", "QKV", "O", "U"), True)
REFUSED = {
    "distributions.lookup_50.support_sizes": ([51, 50, 1], "must be from 1 to N = 50, got [51, 50, 1]"),
    "distributions.maps.support_sizes": ([10, 0, 1], "support_sizes must be from 1 to N = 100, got [10, 0, 1]"),
    "distributions.maps.N": (9, "support_sizes must be from 1 to N = 9, got [10, 10, 1]"),
    "distributions.rank.ranks": ([5, 11], "ranks must not exceed N = 10, got [5, 11]"),
    "distributions.almost_rank.rank": (11, "rank must not exceed N = 10, got 11"),
    "distributions.scaling.alpha_1": ([0.5, 1.1], "distributions.scaling.alpha_1.1 must be <= 1, got 1.1"),
    "distributions.scaling.alpha_2": ([0.0], "distributions.scaling.alpha_2.0 must be > 0, got 0.0"),
    "distributions.superposition.p": (0.0, "distributions.superposition.p must be > 0, got 0.0"),
    "low_rank.d": ({"scaling": 10, "scalling": 10}, "got ['scaling', 'scalling']"),
    "low_rank.d.almost_rank": (10, "must be < memory.distributions.almost_rank.N = 10, got 10"),
    "low_rank.d.rank": (6, "low_rank.d.rank must be <= the least of memory.distributions.rank.ranks = 5, "),
    "train_heads.grids.P1.n_heads": ([1, 6, 6], "P1 must have distinct models, got d3_h6 2 times"),
    "train_widths.grids.P2.d_head": ([0, 10], "P2 must have distinct models, got d10_h20 2 times"),
    "train_heads.training.published.last": (4097, "must not exceed batches * epochs = 4096, got"),
    "train_mlp.grid.mlp": ([False], "grid.mlp must be [false, true], got [False]"),
    "train_variants.freezes.nothing": (FROZEN, "freezes.nothing must leave a part false"),
    "train_heads.training.exact.memory_gib": (0.0, "memory_gib must be > 0, got 0.0"),
    "train_heads.training.engine": ("fast", "must be 'exact' or 'published', got 'fast'"),
    BETAS: ([0.9, 0.95, 0.99], f"{BETAS}: must be a number or a pair of numbers, got [0.9, 0.95"),
    "train_published.points": ([[10, 1], [10, 0]], "points.1: n_heads must be >= 1, got 0"),
    "train_curves.skips": (
        dict.fromkeys(("pos_QK", "emb_QK"), True), "train_curves.skips is not a known key",
    ),
}  # fmt: skip
EMPTY = (
    "distributions.curves_certain.seeds", "distributions.scaling.alpha_1", "distributions.scaling.alpha_2", "distributions.rank.ranks",
    "distributions.rank.axis_aligned", "train_heads.grids.P1.d", "train_heads.grids.P1.d_head",
    "train_widths.grids.P2.n_heads", "train_small.grids.P6.mlp", "train_published.points",
    "train_table.models",
)  # fmt: skip
SHAPES = (
    "train_curves.model", "train_table.models.0", "train_variants.freezing_model",
    "train_variants.skips_model", "train_inside.maps_model", "train_inside.heads_model",
    "train_inside.superposition_model",
)  # fmt: skip


def changed(values: dict[str, Any]) -> dict[str, Any]:
    """params.yaml with other values in the memory lab."""
    content: dict[str, Any] = deepcopy(REAL)
    for key, value in values.items():
        place = [int(part) if part.isdigit() else part for part in key.split(".")]
        put(content, ("memory", *place), value)
    return content


def found(folder: Path, values: dict[str, Any]) -> str:
    message = fault(folder, as_yaml(changed(values)), ALL)
    assert message.startswith("memory.")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("key", REFUSED)
def test_a_value_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, key: str) -> None:
    value, message = REFUSED[key]
    assert message in found(tmp_path, {key: value})


@pytest.mark.parametrize("key", EMPTY)
def test_an_empty_list_is_refused(tmp_path: Path, key: str) -> None:
    assert found(tmp_path, {key: []}).startswith(f"memory.{key}")


def test_a_published_point_given_twice_is_refused(tmp_path: Path) -> None:
    twice = {"train_published.points": [[10, 1], [3, 31], [10, 1]]}
    assert found(tmp_path, twice) == (
        "memory.train_published.points must have distinct models, got [10, 1] 2 times"
    )


@pytest.mark.parametrize("key", SHAPES)
def test_sub_heads_that_do_not_divide_are_refused_before_the_model_is_made(
    tmp_path: Path, key: str
) -> None:
    message = found(tmp_path, {f"{key}.d_head": 8, f"{key}.patterns_per_head": 3})
    assert message == (
        f"memory.{key}: patterns_per_head must divide d_head, got d_head = 8, patterns_per_head = 3"
    )


def law_of(N: int) -> dict[str, Any]:
    return {"distributions.lookup_50.N": N, "distributions.lookup_50.support_sizes": [N, N, 1]}


def test_a_distribution_too_large_for_the_exact_engine_is_refused_with_its_need_and_the_other_engine(
    tmp_path: Path,
) -> None:
    known = law_of(1500) | {
        "distributions.lookup_50.seeds": [0, 1],
        "train_heads.grids.P1.n_heads": [1, 20],
        "train_heads.training.exact.memory_gib": 2.0,
        "train_heads.training.exact.dtype": "float32",
        "train_widths.training.engine": "published",
        "train_published.training.engine": "published",
        "train_heads.training.engine": "exact",
    }
    # Ten arrays as large as the logits [N, N^2] and six of 20 heads' weights; the largest model is
    # named, so that its memory is enough for all. Distributions are N^3 float64 a seed.
    need = 2 * 2 * 1500**2 * 4 * (5 * 1500 + 3 * 20) / 2**30
    assert found(tmp_path, known) == (
        f"memory.train_heads.grids.P1: the exact engine would need about {need:.3g} GiB at "
        "memory.distributions.lookup_50.N = 1500 (heads = 20, mlp_width = 0, members = 2), and "
        "memory.train_heads.training.exact.memory_gib is 2: lower N, raise memory_gib, or set "
        "memory.train_heads.training.engine: published (the distributions' own tables take "
        f"{2 * 1500**3 * 8 / 2**30:.3g} GiB)"
    )
    enough = known | {"train_heads.training.exact.memory_gib": need * 1.001}
    assert refusal(write(tmp_path, as_yaml(changed(enough))), ALL) is None
    batches = known | {"train_heads.training.engine": "published"}
    assert refusal(write(tmp_path, as_yaml(changed(batches))), ALL) is None


def test_double_precision_needs_twice_the_memory(tmp_path: Path) -> None:
    distribution = law_of(200)
    need = full_batch.bytes_needed(200, 31, 5, 0) / 2**30
    known = distribution | {
        "distributions.lookup_50.seeds": [0, 1, 2, 3, 4],
        "train_heads.grids.P1.n_heads": [31],
        "train_heads.training.exact.memory_gib": 1.5 * need,
        "train_heads.training.exact.dtype": "float32",
    }
    assert refusal(write(tmp_path, as_yaml(changed(known))), ALL) is None
    message = found(tmp_path, known | {"train_heads.training.exact.dtype": "float64"})
    assert f"would need about {2 * need:.3g} GiB" in message


def test_a_large_part_that_is_off_needs_no_memory(tmp_path: Path) -> None:
    known = {
        "distributions.lookup_200.N": 2000,
        "distributions.lookup_200.support_sizes": [2000, 2000, 1],
    }
    off = changed(known | {"train_large.run": False})
    assert refusal(write(tmp_path, as_yaml(off)), ALL) is None
    message = found(tmp_path, known | {"train_large.run": True})
    assert message.startswith("memory.train_large.wide: the exact engine would need about ")
    assert "memory.distributions.lookup_200.N = 2000" in message


def test_distributions_stacked_in_one_computation_count_as_members(tmp_path: Path) -> None:
    known = {
        "distributions.scaling.seeds": [0], "train_table.training.engine": "exact",
        "train_table.distributions_per_cell": 7, "train_table.training.exact.memory_gib": 1e-3,
    }  # fmt: skip
    assert "members = 7)" in found(tmp_path, known)
    assert "members = 30)" in found(tmp_path, known | {"train_table.distributions_per_cell": 99})


def test_each_training_is_checked_with_the_distributions_that_its_stage_reads() -> None:
    content = changed({"train_large.run": True})
    params = memory_check.Params.model_validate_json(
        as_yaml({name: content["memory"][name.split(".")[1]] for name in _sections()})
    )
    checked: dict[str, set[str]] = {}
    for planned in (*params.sweeps(), *params.notebooks()):
        stage = "_".join(planned.where.split(".")[:2])
        checked.setdefault(stage, set()).add(planned.distribution)
    read = {
        name: {
            path.removeprefix("data/memory_data/").removesuffix(".npz")
            for path in stage["deps"]
            if path.startswith("data/memory_data/")
        }
        for name, stage in dag.read(ROOT).items()
        if name.startswith("memory_train_")
    }
    assert checked == read


def _sections() -> list[str]:
    return list(memory_check.Params.sections())
