import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.train.matching import best_match, matched_weight

TASK = recall.RecallConfig(keys=6, values=5, pairs=3)


def test_a_head_that_looks_at_the_shown_pair_matches_and_one_that_looks_at_itself_does_not():
    drawn = recall.draw(TASK, 7, generators([0, 1]))
    at = recall.shown_at(TASK, drawn)
    itself = torch.eye(TASK.length).expand(2, 7, 1, -1, -1)
    looking = itself.clone()
    asked = range(TASK.length)[recall.query_positions(TASK)]
    for member in range(2):
        for row in range(7):
            for k, position in enumerate(asked):
                looking[member, row, 0, position] = 0
                looking[member, row, 0, position, at[member, row, k]] = 0.25
                looking[member, row, 0, position, at[member, row, k] + 1] = 0.5
    cache = {"layer_0.pattern": itself, "layer_1.pattern": looking, "layer_1.q": itself}
    assert matched_weight(TASK, cache, drawn)[:, :, 0].tolist() == [[0.0, 0.75], [0.0, 0.75]]
    assert best_match(TASK, cache, drawn).tolist() == [0.75, 0.75]
