"""The lab's attention models over T binary tokens: the tutorial's, and a head with one query.

Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3 (``SelfAttention``); the one-query head is that
of Edelman, Goel, Kakade & Zhang 2022, *Inductive Biases and Variable Creation in Self-Attention
Mechanisms*, section 3 (its ``[CLS]`` query), with scalar values.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.bounds import Scale, Size
from pipeline.config import Section
from pipeline.core.nn.init import normal
from pipeline.core.nn.layers import MemberModule
from pipeline.labs.conjunction.models.token_attention import attend_tokens

Present = Float[Tensor, "member batch token"]
Logits = Float[Tensor, "member batch"]


class AttentionRecipe(Section):
    """The tutorial's attention and its variations, for any number of positions.

    ``queries``: *tokens*, one a position that depends on the bit there (the tutorial's);
    *positions*, one a position whatever its bit; *cls*, a single learned one. ``readout``: *each*
    query has its own weight in the logit (the tutorial's), or one weight is *shared* by their mean.
    """

    d_head: Size
    queries: Literal["tokens", "positions", "cls"]
    readout: Literal["each", "shared"]
    bias: bool
    init_std: Scale


class AttentionConfig(AttentionRecipe):
    """A recipe for T ``positions``."""

    positions: Size


class BinaryAttention(MemberModule):
    """Single-head attention over binary tokens with scalar values; logit = readout . output.

    A token is W_E[bit] + W_pos[position]; scores are q.k / sqrt(d_head).
    """

    Config = AttentionConfig

    def __init__(self, config: AttentionConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: AttentionConfig = config
        d, std = config.d_head, config.init_std
        self.W_E = normal((2, d), std, generators)
        self.W_pos = normal((config.positions, d), std, generators)
        self.W_Q = normal((d, d), std, generators)
        self.W_K = normal((d, d), std, generators)
        self.W_V = normal((d, 1), std, generators)
        if config.queries == "cls":
            self.cls = normal((1, d), std, generators)
        each = config.readout == "each" and config.queries != "cls"
        self.readout = normal((config.positions if each else 1,), std, generators)
        if config.bias:
            self.b = nn.Parameter(torch.zeros(len(generators), 1))

    def tables(self) -> tuple[Float[Tensor, "member query token"], Float[Tensor, "member token"]]:
        """Return the scores of all pairs of query and token, and the tokens' values."""
        tokens = (self.W_E[:, :, None] + self.W_pos[:, None]).flatten(1, 2)
        source: Tensor = self.W_pos
        if self.config.queries != "positions":
            source = self.cls if self.config.queries == "cls" else tokens
        scores = (source @ self.W_Q) @ (tokens @ self.W_K).transpose(-1, -2)
        return scores / self.config.d_head**0.5, (tokens @ self.W_V)[..., 0]

    def readouts(self) -> Float[Tensor, "member query"]:
        """Return the weight of each query's output in the logit."""
        if self.config.queries == "cls":
            return self.readout
        positions = self.config.positions
        each = self.readout if self.config.readout == "each" else self.readout / positions
        each = each.expand(-1, positions)
        return each.repeat(1, 2) if self.config.queries == "tokens" else each

    def forward(self, present: Present) -> Logits:
        """Compute the logits of sequences given by the indicators of their tokens."""
        scores, values = self.tables()
        asked = present if self.config.queries == "tokens" else None
        output = attend_tokens(scores, values, present, vocabulary=2, asked=asked)
        logits = (output @ self.readouts()[..., None])[..., 0]
        return logits + self.b if self.config.bias else logits
