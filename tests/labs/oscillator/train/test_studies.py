import pytest
import torch

from labs.oscillator.train.test_forecast import DATA, OPTIMIZER
from pipeline.core.nn.linear import LinearWindow
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.labs.oscillator.data.fixed import FixedDataConfig, fixed
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.labs.oscillator.train.studies import (
    FixedTrainConfig,
    LinearTrainConfig,
    SequenceTrainConfig,
    VariableTrainConfig,
    fixed_cells,
    gamma_of,
    linear_cell,
    sequence_cells,
    variable_cells,
)

TRAIN, VALID = DATA["train"], DATA["valid"]
SHAPE = ShapeConfig(d_model=4, d_head=2, n_layers=1, causal=True)


def training(dtype="float64"):
    return TrainingConfig(
        steps=20, batch_size=8, optimizer=OPTIMIZER, clip_norm=None, dtype=dtype, record_every=5
    )


def placed(cells):
    return [(cell.name, tuple(cell.seeds)) for cell in cells]


def test_o3_has_a_model_for_each_damping_and_recipe_on_that_damping_s_data():
    config = FixedTrainConfig(
        seeds=(3, 4), model=SHAPE, training=training(), other_recipes={"study": training("float32")}
    )
    splits = fixed(
        TaskConfig(dt=0.1),
        FixedDataConfig(
            omega0=2.0, gammas=(0.0, 0.1), energy_train=1.0, energy_valid=4.0, train=6, test=5,
            test_steps=3, seed=0,
        ),
    )  # fmt: skip
    train, test = splits["fixed_train"], splits["fixed_test"]
    cells = fixed_cells(config, train, test)
    names = ["gamma_0", "gamma_0.1", "gamma_0_study", "gamma_0.1_study"]
    assert placed(cells) == [(name, (3, 4)) for name in names]
    assert [gamma_of(name) for name in names] == ["gamma_0", "gamma_0.1"] * 2
    for cell in cells:
        half = slice(6) if gamma_of(cell.name) == "gamma_0" else slice(6, 12)
        assert torch.equal(cell.train, train.states[half])
        assert cell.valid.shape == (5, 2, 2), "the test's first pair"
        assert cell.training.dtype == ("float32" if "study" in cell.name else "float64")
    assert torch.equal(cells[1].valid, test.states[5:, :2])


def test_o4_has_a_cell_for_each_loss_and_seed():
    config = SequenceTrainConfig(
        seeds=(1, 2), model=SHAPE, losses=("last", "sequence"), training=training()
    )
    cells = sequence_cells(config, TRAIN, VALID)
    assert placed(cells) == [("last", (1,)), ("last", (2,)), ("sequence", (1,)), ("sequence", (2,))]
    assert all(cell.loss == cell.name == cell.params["loss_kind"] for cell in cells)


@pytest.mark.parametrize(("stacked", "groups"), [(1, [(1,), (2,), (3,)]), (2, [(1, 2), (3,)])])
def test_o5_stacks_its_seeds_and_the_larger_model_costs_more(stacked, groups):
    big = ShapeConfig(d_model=8, d_head=2, n_layers=3, causal=False)
    config = VariableTrainConfig(
        seeds=(1, 2, 3), members_per_cell=stacked, loss="sequence", training=training(),
        models={"big": big, "small": SHAPE}, register_as="name",
    )  # fmt: skip
    cells = variable_cells(config, TRAIN, VALID)
    assert placed(cells) == [(name, group) for name in ("big", "small") for group in groups]
    assert cells[0].config == big.transformer
    assert cells[0].kind is Transformer
    # Of each layer and state of the window: four maps of d^2, and two products with every state.
    time = TRAIN.states.shape[1]
    by_hand = [3 * 8 * (4 * 8 + 2 * time), 4 * (4 * 4 + 2 * time)]
    costs = [cell.cost / len(cell.seeds) for cell in (cells[0], cells[-1])]
    assert costs[0] / costs[1] == pytest.approx(by_hand[0] / by_hand[1], rel=1e-12)


def test_o6_s_linear_model_sees_the_whole_window():
    cell = linear_cell(LinearTrainConfig(seeds=(1, 2), training=training()), TRAIN, VALID)
    assert cell.kind is LinearWindow
    assert (cell.name, cell.loss, cell.config.window) == ("linear_gradient", "last", 6)
    assert cell.steps == 20
