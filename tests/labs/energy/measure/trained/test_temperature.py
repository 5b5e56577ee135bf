import torch

from labs.energy.measure.test_phases import PHASES as SIZES
from labs.energy.measure.trained.recall_models import TASK, model_of, same, sequences
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.measure.trained import temperature

PHASES = PhaseConfig(**SIZES)


def test_equal_fixed_points_are_counted_once():
    weights = torch.tensor([[1.0, 0, 0], [0.999, 0.001, 0], [0, 1.0, 0]]).double()
    assert temperature.distinct(weights.view(1, 1, 1, 3, 3)).tolist() == [2.0]


def test_at_the_temperature_of_training_the_model_is_itself():
    model, drawn = model_of((0, 1)), sequences((0, 1), 5)
    same(temperature.at_beta(model, 1.0)(drawn.tokens), model(drawn.tokens))
    found = temperature.temperature(TASK, model, drawn, 1.0, PHASES)
    assert torch.equal(found["accuracy"], recall.accuracy(TASK, model, drawn))


def test_a_hot_head_has_one_fixed_point_for_all_keys():
    # Six keys: the kinds' mark of 1.1 patterns for a single one is far from 0.9 of them.
    model, drawn = model_of((0, 1)), sequences((0, 1), 5)
    found = temperature.temperature(TASK, model, drawn, 1e-6, PHASES)
    same(found["global"], torch.ones_like(found["global"]))
    keys = recall.query_positions(TASK).stop - 1
    same(found["minima"], torch.full_like(found["minima"], 1 / keys))
