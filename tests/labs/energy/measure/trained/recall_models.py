"""A small recall model and sequences for it."""

import torch

from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall

TASK = recall.RecallConfig(keys=5, values=3, pairs=2)


def model_of(seeds):
    config = TransformerConfig(
        d_in=TASK.tokens, d_out=TASK.values, d_model=8, d_head=4, n_layers=2, attention="softmax",
        causal=True, positions=TASK.length, previous_token=False, bias=False, mlp_width=0,
        norm=False,
    )  # fmt: skip
    return Transformer(config, generators(seeds)).double()


def sequences(seeds, count, purpose=0):
    drawn = recall.draw(TASK, count, generators(seeds, purpose=purpose))
    return recall.Sequences(drawn.tokens.double(), drawn.answers)


def same(first, second):
    return torch.testing.assert_close(first, second, rtol=0, atol=1e-9)
