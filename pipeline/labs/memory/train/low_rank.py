"""The best that a d-dimensional unembedding can do: logits = U e(a, b), e free for every context.

Its divergence is a floor for every model that unembeds d channels. The optimum is found by
full-batch L-BFGS in float64 on the whole law, not by steps on samples.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from pipeline.config import Section
from pipeline.core.nn.layers import MemberModule
from pipeline.labs.memory.kernels.unembed_kl import Target, head_divergence
from pipeline.labs.memory.laws import Law

START = 0.1  # scale of random context vectors: near the uniform prediction every direction is open


class LowRankConfig(Section):
    """Tokens and dimensions; ``contexts`` is N^2."""

    N: Annotated[int, Field(ge=2)]
    d: Annotated[int, Field(ge=1)]


class FitConfig(Section):
    """L-BFGS: ``work`` counts contexts x iterations of a search, of at most ``iterations``.

    ``history`` is the number of remembered steps.

    ``neglected`` is the probability of the rarest contexts that are left at a uniform prediction;
    they add at most neglected * log N to the divergence. ``floor`` is the least probability that
    the spectral start tells from zero.
    """

    iterations: Annotated[int, Field(ge=1)]
    work: Annotated[int, Field(ge=1)]
    history: Annotated[int, Field(ge=1)]
    neglected: Annotated[float, Field(ge=0, lt=0.01)]
    floor: Annotated[float, Field(gt=0, lt=1)]


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


def fit(law: Law, d: int, config: FitConfig, generator: torch.Generator) -> tuple[LowRank, float]:
    """Return the low-rank model fitted to the law and its exact divergence in nats.

    The problem is not convex: of a random start and a spectral one the better end is kept.
    """
    model = LowRank(LowRankConfig(N=law.N, d=d), [generator])
    kept = likely(law, config.neglected)
    root = law.contexts[kept].sqrt()
    U, e = model.U[0].detach(), model.e[0].detach()[kept].T
    drawn = (U.clone(), START * e * root)
    ends = [
        _descend(law, kept, start, config)
        for start in (drawn, _spectral(law, kept, drawn, config.floor))
    ]
    best: tuple[float, Tensor, Tensor] | None = None
    for U, x in ends:
        full = torch.zeros(law.N**2, d, dtype=torch.float64)
        full[kept] = (x / root).T
        value = float(divergence(full @ U.T, law))
        if best is None or value < best[0]:
            best = (value, U, full)
    assert best is not None
    with torch.no_grad():
        model.U[0], model.e[0] = best[1], best[2]
    return model, best[0]


def likely(law: Law, neglected: float) -> Int[Tensor, " kept"]:
    """Return the contexts that can occur, likeliest first, less the rarest of that probability."""
    order = law.contexts.argsort(descending=True, stable=True)
    weight = law.contexts[order]
    return order[(weight.cumsum(0) - weight < 1 - neglected) & (weight > 0)]


def _spectral(
    law: Law, kept: Tensor, drawn: tuple[Tensor, Tensor], floor: float
) -> tuple[Tensor, Tensor]:
    """Start at the weighted singular vectors of the log-probabilities, as many as there are.

    Below ``floor`` they are cut: the divergence hardly sees how unlikely an unlikely token is.
    """
    logs = law.conditional[kept].clamp(min=floor).log()
    weighted = law.contexts[kept].sqrt()[:, None] * (logs - logs.mean(1, keepdim=True))
    left, values, right = torch.linalg.svd(weighted, full_matrices=False)
    U, x = drawn[0].clone(), drawn[1].clone()
    rank, scale = min(U.shape[1], len(values)), law.N**0.5
    U[:, :rank] = right[:rank].T * scale
    x[:rank] = (left[:, :rank] * values[:rank]).T / scale
    return U, x


def _descend(
    law: Law, kept: Tensor, start: tuple[Tensor, Tensor], config: FitConfig
) -> tuple[Float[Tensor, "N d"], Float[Tensor, "d kept"]]:
    """Run L-BFGS on U and x = e sqrt(weight).

    In x all contexts are equally curved, so rare ones do not hold the search up.
    """
    weight = law.contexts[kept]
    root, none = weight.sqrt(), torch.zeros(1, dtype=torch.float64)
    target = Target(weight[None], None, law.conditional[kept].T[None].contiguous(), none)
    U, x = (part.contiguous().requires_grad_() for part in start)
    iterations = max(1, min(config.iterations, config.work // len(kept)))
    search = torch.optim.LBFGS(
        [U, x], max_iter=iterations, max_eval=2 * iterations,
        history_size=config.history, tolerance_grad=1e-10, tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> float:
        search.zero_grad()
        found = head_divergence((x / root)[:, None], U[None], target).sum()
        found.backward()
        return found.item()

    search.step(loss)
    return U.detach(), x.detach()


def divergence(logits: Float[Tensor, "context N"], law: Law) -> Float[Tensor, ""]:
    """Return the exact divergence of the predictions softmax(logits) from the law, in nats.

    A perfect prediction is 0, though its logarithms may round below it.
    """
    p = law.conditional
    lost = torch.xlogy(p, p).sum(1) - (p * logits.double().log_softmax(1)).sum(1)
    return (law.contexts * lost).sum().clamp(min=0)
