import pytest

from labs.memory.train.engines import engine
from pipeline.labs.memory.data.draw import draw
from pipeline.labs.memory.data.families import PowerConfig
from pipeline.labs.memory.models.shapes import ShapeConfig
from pipeline.labs.memory.train import sizes

BASE = ShapeConfig(
    d=4, d_head=None, n_heads=2, patterns_per_head=1, n_layers=1, mlp_width=0, mlp_depth=1,
    norm=True,
)  # fmt: skip
AXES = sizes.AxesConfig(d=(3, 4), n_heads=(2,), mlp_width=(0, 5), n_layers=(1, 2))


def section(**changes):
    plain = {
        "base": BASE,
        "axes": AXES,
        "early_steps": 3,
        "training": engine("full_batch", steps=6),
    }
    return sizes.SizesConfig(**(plain | changes))


def drawn():
    return {
        name: draw(
            PowerConfig(N=N, support_sizes=(N, N, N), alpha_1=(0.9,), alpha_2=(0.6,), seeds=(1, 2))
        )
        for N, name in enumerate(sizes.ENTRIES, start=4)
    }


def test_every_model_differs_from_the_base_in_one_size():
    shapes = section().shapes()
    assert shapes[0] == BASE
    for shape in shapes[1:]:
        other = [key for key, value in shape if value != getattr(BASE, key)]
        assert len(other) == 1
    assert len(shapes) == 4


def test_the_base_is_trained_on_every_number_of_tokens_and_all_by_both_budgets():
    sweep = section().cells(drawn())
    assert list(sweep) == [sizes.EXPERIMENT, sizes.EARLY]
    names = [[cell.name for cell in cells] for cells in sweep.values()]
    assert names[0] == names[1]
    assert len(set(names[0])) == 8
    assert {f"N{N}_d4_h2_w0_l1" for N in range(4, 9)} <= set(names[0])
    assert {cell.steps for cell in sweep[sizes.EXPERIMENT]} == {6}
    assert {cell.steps for cell in sweep[sizes.EARLY]} == {3}
    assert {tuple(cell.seeds) for cells in sweep.values() for cell in cells} == {(1, 2)}


def test_an_early_end_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"early_steps must be < training.steps = 6, got 6"):
        section(early_steps=6)
