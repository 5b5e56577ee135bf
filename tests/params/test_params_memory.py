"""Bad values in the memory lab's sections: each is one line that names its key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from faults import as_yaml, fault, refusal, write
from ruamel.yaml import YAML

from pipeline import config
from pipeline.__main__ import ROOT
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.train import plan
from pipeline.runtime import dag
from pipeline.stages.check_params import TOGETHER

ALL = [*(dag.stage_module(name).Params for name in dag.stage_names(ROOT)), *TOGETHER]
REAL: dict[str, Any] = YAML(typ="safe", pure=True).load(
    (ROOT / config.FILE).read_text(encoding="utf-8")
)
BETAS = "train_heads.training.optimizer.options.betas"
FROZEN = dict.fromkeys(("E", "P", "QKV", "O", "U"), True)
MINIBATCHES = {"preset": "minibatch"}
REFUSED = {
    "distributions.lookup_50.support_sizes": (
        [51, 50, 1], "must be from 1 to N = 50, got [51, 50, 1]",
    ),
    "distributions.maps.support_sizes": (
        [10, 0, 1], "memory.distributions.maps.support_sizes.1 must be >= 1, got 0",
    ),
    "distributions.maps.N": (9, "support_sizes must be from 1 to N = 9, got [10, 10, 1]"),
    "distributions.rank.ranks": ([5, 11], "ranks must not exceed N = 10, got [5, 11]"),
    "distributions.almost_rank.rank": (11, "rank must not exceed N = 10, got 11"),
    "distributions.scaling.alpha_1": ([0.5, 1.1], "scaling.alpha_1.1 must be <= 1, got 1.1"),
    "distributions.scaling.alpha_2": ([0.0], "scaling.alpha_2.0 must be > 0, got 0.0"),
    "distributions.superposition.p": (0.0, "superposition.p must be > 0, got 0.0"),
    "train_low_rank.d": ({"scaling": 10, "scalling": 10}, "got ['scaling', 'scalling']"),
    "train_low_rank.d.almost_rank": (
        10, "must be < memory.distributions.almost_rank.N = 10, got 10",
    ),
    "train_low_rank.d.rank": (
        6, "train_low_rank.d.rank must be <= the least of memory.distributions.rank.ranks = 5, ",
    ),
    "train_low_rank.d.rank_scaled": (
        11, "must be < memory.distributions.rank_scaled.N = 10, got 11",
    ),
    "train_heads.grids.P1.n_heads": ([1, 6, 6], "P1 must have distinct models, got d3_h6 2 times"),
    "train_widths.grids.P2.d_head": ([0, 10], "P2 must have distinct models, got d10_h20 2 times"),
    "train_published.training.eval_batches": (
        4097, "must not exceed batches_per_epoch * epochs = 4096, got 4097",
    ),
    "train_mlp.grid.mlp": ([False], "grid.mlp must be [false, true], got [False]"),
    "train_variants.freezes.nothing": (FROZEN, "freezes.nothing must leave a part false"),
    "train_heads.training.memory_gib": (
        0.0, "memory.train_heads.training.memory_gib must be > 0, got 0.0",
    ),
    "train_heads.training.engine": (
        "fast", "training.engine must be 'full_batch' or 'minibatch', got 'fast'",
    ),
    "train_published.training.engine": (
        "full_batch", "engine: full_batch has other keys than batch_size, batches_per_epoch, "
        "epochs, eval_batches: name its preset, {preset: full_batch}",
    ),
    "train_heads.training.batch_size": (
        8, "memory.train_heads.training.batch_size is not a known key",
    ),
    "train_heads.training.optimizer.warmup_steps": (
        551, "warmup_steps must not exceed the 550 steps, got 551",
    ),
    BETAS: ([0.9, 0.95, 0.99], f"{BETAS}: must be a number or a pair of numbers, got [0.9, 0.95"),
    "train_published.points": ([[10, 1], [10, 0]], "points.1.1 must be >= 1, got 0"),
    "distributions.lookup_200.N": (1001, "distributions.lookup_200.N must be <= 1000, got 1001"),
    "distributions.superposition.N": (500, "superposition: seeds * N * N * N must be <= 2e+08"),
    "distributions.rank.N": (200, "distributions.rank: distributions * N * N * N must be <= 2e+08"),
    "distributions.almost_rank.N": (
        500, "almost_rank: distributions * N * N * N must be <= 2e+08 numbers",
    ),
    "distributions.rank.logit_scales": ([1e200], "rank.logit_scales.0 must be <= 1000, got 1e+200"),
    "distributions.sizes_16.N": (25, "must have distinct N, got [25, 25, 40, 63, 100]"),
    "distributions.sizes_63.seeds": (
        [0, 1], "sizes_63.seeds must be those of sizes_16 = [0, 1, 2, 3, 4, 5], got [0, 1]",
    ),
    "train_sizes.early_steps": (300, "early_steps must be < training.steps = 300, got 300"),
    "train_sizes.axes.n_heads": ([0], "train_sizes.axes.n_heads.0 must be >= 1, got 0"),
    "train_heads.training.initial.OV": (1e-200, "training.initial.OV must be >= 1e-06, got 1e-200"),
    "train_low_rank.fit.history": (10**6, "fit.history must be <= 1000, got 1000000"),
    "train_published.training.batches_per_epoch": (
        10**7, "training: batches_per_epoch * batch_size must be <= 2e+08 numbers in memory",
    ),
    "train_published.training.epochs": (
        10**7, "training: batches_per_epoch * epochs must be <= 1e+08 steps, got 640000000",
    ),
    "measure.resamples": (10**9, "memory.measure.resamples must be <= 100000, got 1000000000"),
    "train_curves.skips": (
        dict.fromkeys(("pos_QK", "emb_QK"), True), "train_curves.skips is not a known key",
    ),
}  # fmt: skip
EMPTY = (
    "distributions.curves_certain.seeds", "distributions.scaling.alpha_1",
    "distributions.scaling.alpha_2", "distributions.rank.ranks", "distributions.rank.axis_aligned",
    "distributions.rank.logit_scales", "distributions.almost_rank.logit_scales",
    "train_heads.grids.P1.d", "train_heads.grids.P1.d_head", "train_widths.grids.P2.n_heads",
    "train_small.grid.mlp", "train_published.points", "train_table.models",
)  # fmt: skip
SHAPES = (
    "train_curves.model", "train_sizes.base", "train_table.models.0",
    "train_variants.freezing_model",
    "train_variants.skips_model", "train_mechanism.maps_model", "train_mechanism.heads_model",
    "train_mechanism.superposition_model",
)  # fmt: skip


def changed(values: dict[str, Any]) -> dict[str, Any]:
    """params.yaml with other values in the memory lab, beside its presets where it names one."""
    content: dict[str, Any] = deepcopy(REAL)
    for key, value in values.items():
        *above, last = key.split(".")
        place: Any = content["memory"]
        for part in above:
            place = place[int(part)] if part.isdigit() else place.setdefault(part, {})
        place[last] = value
    return content


def found(folder: Path, values: dict[str, Any]) -> str:
    message = fault(folder, changed(values), ALL)
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
    section = key.removesuffix(".base")  # whose sizes change along the axes
    assert message == (
        f"memory.{section}: patterns_per_head must divide d_head, "
        "got d_head = 8, patterns_per_head = 3"
    )


def lookup_of(N: int) -> dict[str, Any]:
    return {"distributions.lookup_50.N": N, "distributions.lookup_50.support_sizes": [N, N, 1]}


def test_what_is_too_large_for_full_batches_is_refused_with_its_need_and_the_other_engine(
    tmp_path: Path,
) -> None:
    known = lookup_of(1000) | {
        "distributions.lookup_50.seeds": [0, 1],
        "train_heads.grids.P1.n_heads": [1, 20],
        "train_heads.training.memory_gib": 2.0,
        "train_heads.training.dtype": "float32",
        "train_widths.training": MINIBATCHES,
    }
    # Ten arrays as large as the logits [N, N^2] and six of 20 heads' weights; the largest model is
    # named, so that its memory is enough for all. Distributions are N^3 float64 a seed.
    need = 2 * 2 * 1000**2 * 4 * (5 * 1000 + 3 * 20) / 2**30
    assert found(tmp_path, known) == (
        f"memory.train_heads.grids.P1: full batches would need about {need:.3g} GiB at "
        "memory.distributions.lookup_50.N = 1000 (attention patterns = 20, mlp_width = 0, "
        "members = 2), and memory.train_heads.training.memory_gib is 2: lower N, raise memory_gib, "
        "or train by minibatches (memory.train_heads.training.engine; the distributions' own "
        f"tables take {2 * 1000**3 * 8 / 2**30:.3g} GiB)"
    )
    enough = known | {"train_heads.training.memory_gib": need * 1.001}
    assert refusal(write(tmp_path, as_yaml(changed(enough))), ALL) is None
    batches = {key: value for key, value in known.items() if "train_heads.training" not in key}
    batches |= {"train_heads.training": MINIBATCHES}
    assert refusal(write(tmp_path, as_yaml(changed(batches))), ALL) is None


def test_double_precision_needs_twice_the_memory(tmp_path: Path) -> None:
    need = full_batch.bytes_needed(200, 31, 5, 0) / 2**30
    known = lookup_of(200) | {
        "distributions.lookup_50.seeds": [0, 1, 2, 3, 4],
        "train_heads.grids.P1.n_heads": [31],
        "train_heads.training.memory_gib": 1.5 * need,
        "train_heads.training.dtype": "float32",
    }
    assert refusal(write(tmp_path, as_yaml(changed(known))), ALL) is None
    message = found(tmp_path, known | {"train_heads.training.dtype": "float64"})
    assert f"would need about {2 * need:.3g} GiB" in message


def test_a_large_part_that_is_off_needs_no_memory(tmp_path: Path) -> None:
    known = {
        "distributions.lookup_200.N": 1000,
        "distributions.lookup_200.support_sizes": [1000, 1000, 1],
    }
    off = changed(known | {"train_large.run": False})
    assert refusal(off, ALL) is None
    message = found(tmp_path, known | {"train_large.run": True})
    assert message.startswith("memory.train_large.wide: full batches would need about ")
    assert "memory.distributions.lookup_200.N = 1000" in message


def test_distributions_stacked_in_one_computation_count_as_members(tmp_path: Path) -> None:
    known = {
        "distributions.scaling.seeds": [0], "train_table.distributions_per_cell": 7,
        "train_table.training": {"preset": "full_batch", "memory_gib": 1e-3},
    }  # fmt: skip
    assert "members = 7)" in found(tmp_path, known)
    more = known | {"train_table.distributions_per_cell": 99}
    assert "members = 30)" in found(tmp_path, more)


def test_each_training_is_checked_with_the_distributions_that_its_stage_reads(
    tmp_path: Path,
) -> None:
    params = config.load(write(tmp_path, as_yaml(changed({"train_large.run": True}))), plan.Params)
    checked: dict[str, set[str]] = {}
    for planned in (*params.sweeps(), *params.variants_planned()):
        stage = "_".join(planned.where.split(".")[:2])
        checked.setdefault(stage, set()).add(planned.entry)
    folder = "data/memory_data/"
    read = {
        name: {
            path.removeprefix(folder).removesuffix(".npz")
            for path in stage["deps"]
            if path.startswith(folder)
        }
        for name, stage in dag.read(ROOT).items()
        if name.startswith("memory_train_") and name != "memory_train_low_rank"
    }
    assert checked == read
