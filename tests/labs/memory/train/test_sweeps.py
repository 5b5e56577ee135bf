import pytest
import torch

from labs.memory.train.engines import PLAIN, engine
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data.draw import draw
from pipeline.labs.memory.data.families import PowerConfig
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.labs.memory.models.shapes import GridConfig, PointConfig
from pipeline.labs.memory.train import sweeps, variants

DRAWN = draw(
    PowerConfig(N=7, support_sizes=(7, 7, 1), alpha_1=(1.0,), alpha_2=(1.0,), seeds=(3, 8))
)
GRID = GridConfig(d=(3, 4), d_head=(0,), n_heads=(1, 6), n_layers=1, mlp=(False, True))


def test_a_grid_is_every_combination():
    points = GRID.points
    assert len(points) == 8
    assert all(point.d_head == point.d for point in points)
    assert len({point.name for point in points}) == 8
    wide = GridConfig(d=(10,), d_head=(1, 10), n_heads=(20,), n_layers=1, mlp=(False,))
    assert [point.name for point in wide.points] == ["d10_dh1_h20", "d10_h20"]


@pytest.mark.parametrize("d", [7, 10])
@pytest.mark.parametrize("H", [2, 6, 31])
def test_an_mlp_has_the_parameters_of_the_heads_it_stands_for(d, H):
    counts = [
        AttentionMemory(
            PointConfig(d=d, d_head=d, n_heads=H, n_layers=1, mlp=mlp).model(20, PLAIN),
            generators([0]),
        ).parameters_per_member
        for mlp in (False, True)
    ]
    # The biases of the MLP: one for each hidden unit and for each output.
    assert counts[1] - counts[0] == 2 * d * (H - 1) + d


def test_a_sweep_has_a_cell_a_point_with_all_seeds():
    grid = GRID.model_copy(update={"mlp": (False,)})
    made = sweeps.SweepConfig(grids={"P1": grid}, training=engine("full_batch")).cells(DRAWN)
    assert [cell.name for cell in made["P1"]] == ["d3_h1", "d3_h6", "d4_h1", "d4_h6"]
    for cell in made["P1"]:
        assert cell.config.N == 7
        assert cell.seeds == [3, 8]
        assert len(cell.distributions) == 2


def test_both_memories_are_trained_each_by_its_own_engine():
    attention, mlp = engine("full_batch", steps=8), engine("part_batch", steps=12)
    section = sweeps.ComparedConfig(grid=GRID, attention=attention, mlp=mlp)
    made = section.cells(DRAWN)
    steps = {
        experiment: {cell.name: cell.engine.steps for cell in cells}
        for experiment, cells in made.items()
    }
    # One head has no parameters that an MLP could stand for.
    whole = {"d3_h1": 8, "d3_h6": 8, "d4_h1": 8, "d4_h6": 8, "d3_h6_mlp": 12, "d4_h6_mlp": 12}
    assert steps == {"P5": whole, "P5_quarter": {name: n // 4 for name, n in whole.items()}}


@pytest.mark.parametrize(("run", "count"), [(True, 8 + 16), (False, 0)])
def test_the_large_ones_are_made_only_if_they_are_on(run, count):
    deep = GRID.model_copy(update={"n_layers": 3})  # beside each, one layer of as many heads
    training = engine("part_batch")
    section = sweeps.LargeConfig(
        run=run, wide=GRID, deep=deep, wide_training=training, deep_training=training
    )
    assert len(section.cells(DRAWN, DRAWN)["P7"]) == count


def test_published_points_are_heads_as_wide_as_the_stream():
    section = sweeps.ChosenConfig(points=((10, 1), (3, 31)), training=engine("minibatch"))
    cells = section.cells(DRAWN)["P1"]
    assert [(c.config.d, c.config.d_head, c.config.n_heads) for c in cells] == [
        (10, 10, 1), (3, 3, 31),
    ]  # fmt: skip


def test_every_admissible_combination_of_skips_is_named_once():
    admissible = variants.admissible_skips()
    assert len(admissible) == 18
    assert not admissible["none"].residual
    assert not any(skips.pos_QK and skips.emb_QK for skips in admissible.values())
    assert not any(skips.pos_OV and skips.emb_OV for skips in admissible.values())


def test_distributions_of_a_cell_are_those_of_its_seeds():
    cell = sweeps.of_points([sweeps.point_of(3, 1)], DRAWN, engine("full_batch"))[0]
    for distribution, expected in zip(cell.distributions, DRAWN.distributions(), strict=True):
        assert torch.equal(distribution.third, expected.third)
