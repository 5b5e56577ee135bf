import pytest
import torch
from pydantic import ValidationError

from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.muon import Muon, MuonConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.task import TaskConfig, energy
from pipeline.labs.oscillator.data.windows import WindowDataConfig, windows
from pipeline.labs.oscillator.models.scale_normalised import ScaleNormalised
from pipeline.labs.oscillator.train.recipe import (
    RecipeCell,
    RecipeConfig,
    RecipesConfig,
    optimizer,
    recipe_cells,
    train_recipe,
    weighted_error,
    weights,
)

STEPS = 8
# AdamW divides a rounding of 1e-16 by 1e-8 at worst: x rate 0.01 x 8 steps. Muon orthogonalises: a
# gradient's relative rounding, amplified by 485, x rate 0.02 x 8 steps stays below it.
ROUNDING = 1e-9
DATA = windows(
    TaskConfig(dt=0.1),
    WindowDataConfig(
        omega0=(1.0, 4.0), gamma=(0.1, 0.1), age=(0.0, 6.0), window=6,
        initial_train=(0.0, 1.0), initial_valid=(1.0, 1.5),
        train=64, valid=16, test=2, test_steps=2, example_omega0=2.0, example_initial=(0.8, 0.6),
        seed=0,
    ),
)  # fmt: skip
OPTIMIZER = OptimizerConfig(
    name="AdamW", learning_rate=0.01, options={}, schedule="cosine", final_fraction=0.0,
    warmup_steps=0,
)  # fmt: skip
TRAINING = TrainingConfig(
    steps=STEPS, batch_size=8, optimizer=OPTIMIZER, clip_norm=1.0, dtype="float64", record_every=4
)
RECIPE = {
    "attention": "linear", "d_model": 4, "d_head": 2, "n_layers": 2, "previous_token": True,
    "bias": False, "scale_normalised": True, "loss": "energy", "data": "aged",
    "muon": MuonConfig(learning_rate=0.02, momentum=0.9), "training": TRAINING,
}  # fmt: skip


def recipe(**changes):
    return RecipeConfig(**{**RECIPE, **changes})


def train(seeds, **changes):
    chosen = recipe(**changes)
    return train_recipe(
        RecipeCell(
            name="model", seeds=seeds, recipe=chosen, train=DATA["train"], valid=DATA["valid"]
        )
    )


def test_a_weighted_error_s_square_is_its_energy_over_that_of_the_last_state():
    data = DATA["train"]
    error = torch.randn(64, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = (error * weights(data, "energy")).square().sum(1)
    expected = energy(error, data.omega0) / energy(data.states[:, -2], data.omega0)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


def test_the_energy_loss_of_a_normalised_model_does_not_know_the_scale():
    model = ScaleNormalised(recipe().transformer, generators([0])).double()
    losses = []
    for scale in (1.0, 1e-3, 50.0):
        train = DATA["train"]
        data = Split(scale * train.states, train.omega0, train.gamma)
        batch = (data.states[None], weights(data, "energy")[None])
        losses.append(float(weighted_error(model, batch).detach()))
    # Windows of condition one; sums over 64 trajectories of a few hundred roundings.
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-12)


def test_the_squared_loss_weighs_every_error_alike():
    assert bool((weights(DATA["train"], "squared") == 1).all())


def test_the_loss_is_the_mean_over_windows_of_the_last_position_s_weighted_error():
    model = ScaleNormalised(recipe().transformer, generators([0, 1])).double()
    states, weight = DATA["train"].states, weights(DATA["train"], "energy")
    batch = (states.expand(2, -1, -1, -1), weight.expand(2, -1, -1))
    found = weighted_error(model, batch)
    predicted = model(batch[0][:, :, :-1])[:, :, -1]
    expected = ((predicted - states[:, -1]) * weight).square().sum(-1).mean(1)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("muon", [None, RECIPE["muon"]], ids=["AdamW alone", "with Muon"])
@pytest.mark.parametrize("bias", [False, True])
def test_every_parameter_has_one_optimiser_and_attention_s_have_muon(muon, bias):
    chosen = recipe(muon=muon, bias=bias)
    model = chosen.kind(chosen.transformer, generators([0]))
    together = optimizer(model, chosen)
    held = [id(p) for group in together.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    orthogonal = [
        id(p)
        for each in together.optimizers if isinstance(each, Muon)
        for group in each.param_groups
        for p in group["params"]
    ]  # fmt: skip
    inside = [] if muon is None else [id(p) for p in model.layers.parameters()]
    assert sorted(orthogonal) == sorted(inside)
    assert len(inside) in (0, 2 * 4)


CHANGES = [
    {},
    {"muon": None},
    {"attention": "softmax", "previous_token": False},
    {"scale_normalised": False, "bias": True},
    {"loss": "squared"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_member_is_its_seed_trained_alone(changes):
    together, history = train([0, 5, 3], **changes)
    alone, its_history = train([5], **changes)
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(together.state_dict()[name][1], value[0], rtol=0, atol=ROUNDING)
    for name, value in its_history.values.items():
        torch.testing.assert_close(
            history.values[name][:, 1], value[:, 0], rtol=1e3 * ROUNDING, atol=ROUNDING
        )


def test_validation_is_by_energy_whatever_the_loss():
    for loss in ("energy", "squared"):
        model, history = train([0, 1], loss=loss)
        held = DATA["valid"]
        every = (
            held.states.expand(2, -1, -1, -1),
            weights(held, "energy").expand(2, -1, -1),
        )
        expected = weighted_error(model, every).detach()
        torch.testing.assert_close(history.values["validation_energy"][-1], expected)
        assert history.steps == [4, 8]


def test_each_ingredient_changes_the_training():
    losses = {str(changes): train([0], **changes)[1].values["loss"][-1, 0] for changes in CHANGES}
    assert len({float(loss) for loss in losses.values()}) == len(CHANGES)


def test_the_model_is_the_recipe_s():
    chosen = recipe(attention="softmax", scale_normalised=False, bias=True)
    assert (chosen.kind, recipe().kind) == (Transformer, ScaleNormalised)
    shape = chosen.transformer
    assert (shape.attention, shape.bias, shape.previous_token) == ("softmax", True, True)
    assert (shape.causal, shape.positions, shape.mlp_width, shape.norm) == (False, 0, 0, False)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"d_head": 3}, "d_head must divide d_model, got d_head = 3, d_model = 4"),
        ({"n_layers": 0}, "greater than or equal to 1"),
        ({"attention": "cosine"}, "'softmax' or 'linear'"),
        ({"loss": "cubed"}, "'energy' or 'squared'"),
        ({"data": "fixed"}, "'aged', 'variable' or 'damped'"),
        ({"muon": {"learning_rate": 0.0, "momentum": 0.9}}, "greater than 0"),
        ({"muon": {"learning_rate": 0.1, "momentum": 1.0}}, "less than 1"),
    ],
)
def test_a_recipe_that_cannot_be_trained_is_refused(change, complaint):
    with pytest.raises(ValidationError, match=complaint):
        recipe(**change)


def test_the_work_is_every_recipe_s_seeds_in_cells_on_the_data_that_it_names():
    config = RecipesConfig(
        seeds=(4, 5, 6), members_per_cell=2, models={"a": recipe(), "b": recipe(data="damped")}
    )
    assert config.data == ("aged", "damped")
    splits = {(data, part): DATA[part] for data in config.data for part in ("train", "valid")}
    splits["damped", "train"] = DATA["valid"]
    cells = recipe_cells(config, splits)
    assert [(cell.name, tuple(cell.seeds)) for cell in cells] == [
        ("a", (4, 5)), ("a", (6,)), ("b", (4, 5)), ("b", (6,)),
    ]  # fmt: skip
    assert cells[0].train is DATA["train"]
    assert cells[2].train is DATA["valid"]
    assert {cell.steps for cell in cells} == {STEPS}
    assert cells[2].params["data"] == "damped"
