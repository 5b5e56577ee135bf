"""Every training is all on the device that it is given, and gives the same results back."""

from dataclasses import replace

import pytest
import torch
from pretend_card import on_card

from labs.conjunction.train import test_fit
from labs.energy.train import test_recall
from labs.memory.train import test_cells
from labs.oscillator.train import test_forecast, test_polish, test_recipe, test_time_network
from pipeline.core.training import optimizers
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.train.fit import FitCell, fit
from pipeline.labs.energy.train import recall
from pipeline.labs.memory.train.cells import train_cell
from pipeline.labs.oscillator.data.time import TimeTriples
from pipeline.labs.oscillator.train.forecast import train_forecaster
from pipeline.labs.oscillator.train.polish import polish
from pipeline.labs.oscillator.train.recipe import RecipeCell, train_recipe
from pipeline.labs.oscillator.train.time_network import TimeCell, train_time_network


def nothing() -> None:
    """Stand for the report of a step."""


def recipe_cell(**changes):
    data = test_recipe.DATA
    return RecipeCell(
        name="model", seeds=(0, 5), recipe=test_recipe.recipe(**changes),
        train=data["train"], valid=data["valid"],
    )  # fmt: skip


def time_cell():
    triples, _ = test_time_network.data()
    assert isinstance(triples, TimeTriples)
    return TimeCell(
        name="network", seeds=(0, 5), model=test_time_network.SHAPE,
        training=test_time_network.TRAINING.model_copy(update={"steps": 5}), data=triples,
    )  # fmt: skip


def fit_cell(name):
    data = draw_data(test_fit.TASK, 40, 30, (3, 4))
    config = test_fit.FITS[name].model_copy(update={"steps": 4})
    return FitCell(name=name, config=config, seeds=(3, 4), data=data)


def recall_cell(attention):
    cell = test_recall.cell((3, 4), alignment=0.5, steps=4)
    return replace(cell, model=cell.model.model_copy(update={"attention": attention}))


def memory_cell(kind, distribution, objective="divergence", **shape):
    cell = test_cells.cell((0, 1), kind, distribution, objective, steps=6)
    return replace(cell, config=cell.config.model_copy(update=shape))


DEEP = {"mlp_width": 6, "n_layers": 2, "norm": True}
TRAININGS = {
    "memory, table": (train_cell, lambda: memory_cell("full_batch", test_cells.table)),
    "memory, uncertain": (
        train_cell,
        lambda: memory_cell("full_batch", test_cells.uncertain, **DEEP),
    ),
    "memory, batches of a table": (
        train_cell,
        lambda: memory_cell("minibatch", test_cells.table, **DEEP),
    ),
    "memory, batches": (train_cell, lambda: memory_cell("minibatch", test_cells.uncertain)),
    "memory, next tokens": (
        train_cell,
        lambda: memory_cell("minibatch", test_cells.uncertain, "next_token"),
    ),
    **{
        f"forecast, {kind.__name__} {loss}": (
            train_forecaster,
            lambda kind=kind, shape=shape, loss=loss: test_forecast.cell(
                kind, shape, loss, steps=5
            ),
        )
        for kind, shape, loss in test_forecast.KINDS
    },
    "recipe": (train_recipe, recipe_cell),
    "recipe, softmax": (
        train_recipe,
        lambda: recipe_cell(attention="softmax", muon=None, loss="squared", bias=True),
    ),
    "polish": (polish, lambda: test_polish.cell(test_polish.config(iterations=1))),
    "network of time": (train_time_network, time_cell),
    **{f"fit, {name}": (fit, lambda name=name: fit_cell(name)) for name in test_fit.FITS},
    **{
        f"recall, {attention}": (
            recall.train_cell,
            lambda attention=attention: recall_cell(attention),
        )
        for attention in ("softmax", "linear")
    },
}
EVERY = pytest.mark.parametrize("name", TRAININGS)


def results(outcome):
    """Return what a training gives, by name: parameters, records, measures."""
    model, history, *measures = outcome
    found = {**model.state_dict()}
    found |= {} if history is None else {f"history.{k}": v for k, v in history.values.items()}
    return found | {f"measure.{k}": v for part in measures for k, v in part.items()}


def trained(name, device=None):
    function, cell = TRAININGS[name]
    keywords = {} if device is None else {"device": device}
    return results(function(cell(), nothing, **keywords))


@EVERY
def test_no_tensor_is_left_behind_on_the_cpu(name, monkeypatch):
    # torch's fused optimisers know the real devices alone.
    monkeypatch.setattr(optimizers, "FUSED", ())
    function, cell = TRAININGS[name]
    found = results(on_card(function, cell(), nothing))
    expected = trained(name)
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert type(value) in (torch.Tensor, torch.nn.Parameter)
        assert value.device.type == "cpu"
        assert torch.equal(value, expected[key]), key


@EVERY
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_gpu_agrees_with_the_cpu(name):
    found, expected = trained(name, torch.device("cuda", 0)), trained(name)
    for key, value in found.items():
        # A few float64 steps of the same sums in another order: 1e-16, which Adam divides by 1e-8
        # at worst, times its rate and steps: below 1e-7 by a factor of ten.
        torch.testing.assert_close(value, expected[key], rtol=0, atol=1e-7)
