import pytest

from labs.memory.train.test_cells import cell
from pipeline.labs.memory.train.endings import with_quarters


def test_every_cell_is_there_again_with_a_quarter_of_its_steps():
    made = with_quarters("P6", [cell(steps=60), cell(steps=61)])
    assert {name: [one.steps for one in cells] for name, cells in made.items()} == {
        "P6": [60, 61],
        "P6_quarter": [15, 16],
    }
    early, late = made["P6_quarter"][0], made["P6"][0]
    assert (early.seeds, early.config) == (late.seeds, late.config)


def test_an_engine_whose_steps_are_of_its_batches_is_refused():
    with pytest.raises(ValueError, match="steps of its own"):
        with_quarters("P6", [cell(kind="minibatch")])
