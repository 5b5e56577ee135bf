"""The best that a d-dimensional unembedding can do: logits = U e(a, b), e free for every context.

Its divergence is a floor for every model that unembeds d channels. The optimum is found by
full-batch L-BFGS in float64 on the whole law, not by steps on samples.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from scipy.optimize import minimize
from torch import Tensor, nn

from pipeline.config import Section
from pipeline.core.divergence import Target, head_divergence
from pipeline.core.layers import MemberModule
from pipeline.labs.memory.laws import Law


class LowRankConfig(Section):
    """Tokens and dimensions; ``contexts`` is N^2."""

    N: Annotated[int, Field(ge=2)]
    d: Annotated[int, Field(ge=1)]


class FitConfig(Section):
    """L-BFGS: at most ``iterations``, ``history`` remembered steps.

    ``neglected`` is the probability of the rarest contexts that are left at a uniform prediction;
    they add at most neglected * log N to the divergence.
    """

    iterations: Annotated[int, Field(ge=1)]
    history: Annotated[int, Field(ge=1)]
    neglected: Annotated[float, Field(ge=0, lt=0.01)]


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

    A context of weight w has e = x / sqrt(w): in x all contexts are equally curved, so rare
    ones do not hold L-BFGS up.
    """
    model = LowRank(LowRankConfig(N=law.N, d=d), [generator])
    weight = law.contexts
    order = weight.argsort(descending=True, stable=True)
    kept = order[weight[order].cumsum(0) - weight[order] < 1 - config.neglected]
    kept = kept[weight[kept] > 0]
    target = Target(
        weight[kept][None],
        None,
        law.conditional[kept].T[None].contiguous(),
        torch.zeros(1, dtype=torch.float64),
    )
    root = weight[kept].sqrt()

    def objective(flat: Any) -> tuple[float, Any]:
        U, x = unpack(torch.from_numpy(flat))
        U.requires_grad_()
        x.requires_grad_()
        loss = head_divergence((x / root)[:, None], U[None], target)
        loss.sum().backward()
        assert U.grad is not None
        assert x.grad is not None
        return loss.item(), torch.cat([U.grad.flatten(), x.grad.flatten()]).numpy()

    def unpack(flat: Tensor) -> tuple[Tensor, Tensor]:
        split = law.N * d
        return flat[:split].view(law.N, d).clone(), flat[split:].view(d, -1).clone()

    with torch.no_grad():
        scale = 0.1  # near the uniform prediction, where every direction of U is still open
        start = torch.cat([model.U[0].flatten(), (scale * model.e[0][kept].T * root).flatten()])
    options = {
        "maxiter": config.iterations,
        "maxfun": 2 * config.iterations,
        "maxcor": config.history,
        "ftol": 1e-12,
        "gtol": 1e-10,
    }
    found = minimize(objective, start.numpy(), jac=True, method="L-BFGS-B", options=options)
    U, x = unpack(torch.from_numpy(np.asarray(found.x)))
    with torch.no_grad():
        model.U[0], model.e[0] = U, 0
        model.e[0][kept] = (x / root).T
        value = divergence(model.e[0] @ model.U[0].T, law)
    return model, float(value)


def divergence(logits: Float[Tensor, "context N"], law: Law) -> Float[Tensor, ""]:
    """Return the exact divergence of the predictions softmax(logits) from the law, in nats."""
    p = law.conditional
    lost = torch.xlogy(p, p).sum(1) - (p * logits.double().log_softmax(1)).sum(1)
    return (law.contexts * lost).sum()
