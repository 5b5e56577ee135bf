import pytest
import torch

from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.models.gated_mlp import GatedMLP, GatedMLPRecipe
from pipeline.labs.conjunction.models.input_gains import InputGains, InputGainsRecipe
from pipeline.labs.conjunction.models.mlp import BinaryMLPRecipe
from pipeline.labs.conjunction.train.additions import (
    GatedMLPFit,
    InputGainsFit,
    SparseMLPFit,
    penalised,
)
from pipeline.labs.conjunction.train.early_stopping import EarlyStopConfig, final_accuracies
from pipeline.labs.conjunction.train.fit import FitCell, Learners, MLPFit, fit, losses

OPTIMIZER = OptimizerConfig(
    name="Adam", learning_rate=0.01, options={}, schedule="constant", final_fraction=1.0,
    warmup_steps=0,
)  # fmt: skip
TRAINING = {"steps": 60, "optimizer": OPTIMIZER, "dtype": "float64", "record_every": 60}
MODEL = BinaryMLPRecipe(widths=(8,), dropout=0.0, init_std=0.5)
TASK = TaskConfig(
    function="sparse_and", positions=6, targets=2, p=None, tolerance=None, identifiable=False,
    max_draws=1,
)  # fmt: skip
DATA = draw_data(TASK, 40, 50, [0, 1])
RULE = EarlyStopConfig(every=20, accuracy=1.0, loss=1e-6)


def cell(config):
    return FitCell(name="", config=config, seeds=[0, 1], data=DATA)


def test_the_penalty_is_on_the_first_layers_absolute_weights():
    learners = Learners.of(cell(SparseMLPFit(**TRAINING, model=MODEL, l1=0.25)))
    x = learners.train[0]
    plain = learners.loss(learners.model, x)
    with_penalty = penalised(SparseMLPFit(**TRAINING, model=MODEL, l1=0.25), learners.loss)
    expected = plain + 0.25 * learners.model.layers[0].W.abs().sum((1, 2))
    assert torch.equal(with_penalty(learners.model, x), expected)


def test_other_trainings_keep_their_loss():
    learners = Learners.of(cell(MLPFit(**TRAINING, model=MODEL)))
    assert penalised(MLPFit(**TRAINING, model=MODEL), learners.loss) == learners.loss


def test_without_a_penalty_it_learns_as_the_mlp_and_with_a_large_one_nothing():
    plain, none, large = (
        final_accuracies(cell(config), RULE)
        for config in (
            MLPFit(**TRAINING, model=MODEL),
            SparseMLPFit(**TRAINING, model=MODEL, l1=0.0),
            SparseMLPFit(**TRAINING, model=MODEL, l1=100.0),
        )
    )
    assert torch.equal(plain, none)
    assert float(large.mean()) < float(plain.mean())


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (GatedMLPFit(**TRAINING, model=GatedMLPRecipe(**MODEL.model_dump(), gain=3.0)), GatedMLP),
        (InputGainsFit(**TRAINING, model=InputGainsRecipe(init_std=0.02)), InputGains),
    ],
)
def test_each_fit_builds_its_model_and_trains(config, kind):
    untrained = Learners.of(cell(config))
    assert type(untrained.model) is kind
    assert untrained.model.members == 2
    before = losses(untrained.model(untrained.train[0]), untrained.train[1])
    _, history = fit(cell(config))
    assert bool((history.values["loss"][-1] < before).all())
    assert final_accuracies(cell(config), RULE).shape == (2,)
