"""The low-rank memory: logits = U e(a, b), with a vector e of its own for every context."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.bounds import Size
from pipeline.config import Section
from pipeline.core.nn.layers import MemberModule


class LowRankConfig(Section):
    """Tokens and dimensions; ``contexts`` is N^2."""

    N: Annotated[int, Field(ge=2, le=4096)]
    d: Size


class LowRank(MemberModule):
    """U [member, N, d] and e [member, context, d], the context (a, b) at a N + b."""

    Config = LowRankConfig

    def __init__(self, config: LowRankConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: LowRankConfig = config
        shapes = ((config.N, config.d), (config.N**2, config.d))
        drawn = [
            [torch.randn(*shape, generator=g, dtype=torch.float64) for shape in shapes]
            for g in generators
        ]
        self.U = nn.Parameter(torch.stack([U for U, _ in drawn]))
        self.e = nn.Parameter(torch.stack([e for _, e in drawn]))

    def forward(self) -> Float[Tensor, "member context N"]:
        """Return the logits of every context."""
        return self.e @ self.U.transpose(1, 2)
