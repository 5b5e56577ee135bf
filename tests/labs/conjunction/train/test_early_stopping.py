import pytest
import torch
from pydantic import ValidationError

from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.models.attention import AttentionRecipe
from pipeline.labs.conjunction.models.mlp import BinaryMLPRecipe
from pipeline.labs.conjunction.train.curves import CurveConfig, LinearCurve, SearchConfig
from pipeline.labs.conjunction.train.early_stopping import EarlyStopConfig, final_accuracies
from pipeline.labs.conjunction.train.fit import AttentionFit, FitCell, FitConfig, MLPFit, fit

TASK = TaskConfig(
    function="sparse_and", positions=8, targets=2, p=None, tolerance=None, identifiable=False,
    max_draws=1,
)  # fmt: skip
OPTIMIZER = OptimizerConfig(
    name="Adam", learning_rate=0.02, options={}, schedule="constant", final_fraction=1.0,
    warmup_steps=0,
)  # fmt: skip
COMMON = {"optimizer": OPTIMIZER, "dtype": "float64", "record_every": 1000}
ONE_QUERY = AttentionRecipe(d_head=2, queries="cls", readout="each", bias=False, init_std=0.02)
FITS = {
    "linear": FitConfig(steps=150, **COMMON),
    "mlp": MLPFit(
        model=BinaryMLPRecipe(widths=(16,), dropout=0.2, init_std=0.02), steps=150, **COMMON
    ),
    "attention": AttentionFit(model=ONE_QUERY, steps=150, **COMMON),
}
EVERY = pytest.mark.parametrize("name", FITS)
SEEDS = [0, 1, 2, 3]
RULE = EarlyStopConfig(every=10, accuracy=0.85, loss=0.5)
NEVER = EarlyStopConfig(every=40, accuracy=1.0, loss=1e-6)


def cell(name, seeds=SEEDS, samples=30):
    data = draw_data(TASK, samples, 50, seeds)
    return FitCell(name="", config=FITS[name], seeds=seeds, data=data)


@EVERY
def test_where_nobody_stops_it_is_the_whole_training(name):
    seen = []
    accuracy = final_accuracies(cell(name), NEVER, lambda: seen.append(1))
    _, history = fit(cell(name))
    # Taken in parts, the training makes the same steps: the very same numbers.
    assert torch.equal(accuracy, history.values["validation_accuracy"][-1])
    assert len(seen) == FITS[name].steps


@EVERY
def test_who_stops_does_not_touch_the_others(name):
    together = final_accuracies(cell(name), RULE)
    alone = torch.cat([final_accuracies(cell(name, [seed]), RULE) for seed in SEEDS])
    # A wrong member, optimiser state or dropout stream would move whole samples, 1/50 each; the
    # order of sums moves logits by 1e-12, which turns no sample's sign here.
    assert torch.equal(together, alone)


@EVERY
def test_some_stop_early_and_are_solved(name):
    lengths, accuracies = [], []
    for seed in SEEDS:
        seen = []
        accuracies += final_accuracies(cell(name, [seed]), RULE, lambda s=seen: s.append(1))
        lengths.append(len(seen))
    early = [n < FITS[name].steps for n in lengths]
    assert any(early)
    assert all(n % RULE.every == 0 for n in lengths)
    assert all(
        a >= RULE.accuracy for a, is_early in zip(accuracies, early, strict=True) if is_early
    )


def test_the_last_look_is_at_everyone():
    accuracy = final_accuracies(cell("linear"), EarlyStopConfig(every=149, accuracy=1.0, loss=1e-6))
    assert bool((accuracy > 0.5).all())


def test_a_rate_that_falls_cannot_be_stopped_early():
    curve = {
        "seeds": (0,), "members_per_cell": 1, "sizes_per_doubling": 1,
        "first_samples": {16: 20, 32: 40}, "max_samples": 100, "stop_above": None,
    }  # fmt: skip
    LinearCurve(**curve, fit=FITS["linear"])
    CurveConfig(**curve)
    for change in ({"schedule": "cosine"}, {"warmup_steps": 3}):
        config = FITS["linear"].model_copy(
            update={"optimizer": OPTIMIZER.model_copy(update=change)}
        )
        with pytest.raises(ValidationError, match="constant rate"):
            LinearCurve(**curve, fit=config)


def test_who_stops_must_be_solved():
    rule = EarlyStopConfig(every=10, accuracy=0.98, loss=0.1)
    with pytest.raises(ValidationError, match=r"early_stop.accuracy must be >= threshold = 0.99"):
        SearchConfig(
            function="sparse_and",
            targets=3,
            threshold=0.99,
            valid=9,
            stop_below=0.2,
            stop_above=0.8,
            early_stop=rule,
        )


@pytest.mark.parametrize("change", [{"every": 0}, {"accuracy": 0.5}, {"loss": 0.0}])
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        EarlyStopConfig(**(RULE.model_dump() | change))
