from dataclasses import replace

import pytest
import torch

from labs.memory.small_models import config
from labs.memory.train.engines import SHARED
from labs.memory.train.test_cells import cell
from pipeline.core.training.muon import MuonConfig
from pipeline.labs.memory.train import long_cells
from pipeline.labs.memory.train.cells import train_cell
from pipeline.labs.memory.train.long_cells import train_long_cell
from pipeline.labs.memory.train.parts import PartConfig


def in_parts(seeds=(0, 1), muon=None, **changes):
    keys = {
        "engine": "part_batch", "steps": 60, "eval_contexts": 48, "record_every": 10,
        "memory_gib": 1.0, "first_tokens": 2, "muon": muon,
    }  # fmt: skip
    return replace(cell(seeds), engine=PartConfig(**(SHARED | keys | changes)))


@pytest.mark.parametrize("kind", ["full_batch", "minibatch"])
@pytest.mark.parametrize("few", [0, 1000])
def test_other_engines_train_as_every_cell_does(kind, few, monkeypatch):
    monkeypatch.setattr(long_cells, "FEW", few)
    expected, found = train_cell(cell(kind=kind)), train_long_cell(cell(kind=kind))
    for name, values in found.measures.items():
        # 60 float64 steps of the same sums in another order.
        torch.testing.assert_close(values, expected.measures[name], atol=1e-9, rtol=0)
    assert found.history.steps == expected.history.steps


@pytest.mark.parametrize("muon", [None, MuonConfig(learning_rate=0.05, momentum=0.9)])
def test_a_member_trains_in_parts_as_its_seed_alone(muon):
    shape = config(mlp_width=8)
    together = train_long_cell(replace(in_parts((0, 1, 2), muon), config=shape))
    alone = train_long_cell(replace(in_parts((1,), muon), config=shape))
    for name, values in together.measures.items():
        torch.testing.assert_close(values[1:2], alone.measures[name], atol=1e-9, rtol=0)


def test_parts_learn_the_whole_table():
    measures = train_long_cell(in_parts(steps=600)).measures
    assert bool((measures["accuracy"] > 0.9).all())
