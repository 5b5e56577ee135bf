"""The best that a d-dimensional unembedding can do: logits = U e(a, b), e free for every context.

Its divergence is a floor for every model that unembeds d channels. The optimum is found by
full-batch L-BFGS in float64 on the whole distribution, not by steps on samples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, Size
from pipeline.config import Section
from pipeline.core.nn.layers import MemberModule, concatenate
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.kernels.unembed_kl import Target, unembed_kl
from pipeline.labs.memory.models.low_rank import LowRank, LowRankConfig

# Entries whose models are kept, for M7 to M9, and those whose divergence alone is a baseline.
TABULATED = ("superposition", "rank", "rank_scaled", "almost_rank")
POWER = ("curves_certain", "curves_uncertain", "scaling", "sizes_40", "sizes_100")
START = 0.1  # scale of random context vectors: near the uniform prediction every direction is open


class FitConfig(Section):
    """L-BFGS: ``work`` counts contexts x iterations of a search, of at most ``iterations``.

    ``history`` is the number of remembered steps.

    ``neglected`` is the probability of the rarest contexts that are left at a uniform prediction;
    they add at most neglected * log N to the divergence. ``floor`` is the least probability that
    the spectral start tells from zero.
    """

    iterations: Count
    work: Annotated[int, Field(ge=1, le=10**12)]
    history: Annotated[int, Field(ge=1, le=1000)]
    neglected: Annotated[float, Field(ge=0, lt=0.01)]
    floor: Annotated[float, Field(gt=0, lt=1)]


class LowRankTrainConfig(Section):
    """The dimension for each entry of the distributions, and the fit."""

    d: Mapping[str, Size]
    fit: FitConfig

    @model_validator(mode="after")
    def _entries_exist(self) -> "LowRankTrainConfig":
        known = {*TABULATED, *POWER}
        if set(self.d) != known:
            raise ValueError(f"d must name {sorted(known)}, got {sorted(self.d)}")
        return self


@dataclass(frozen=True)
class LowRankRow:
    """The optimum of one distribution: ``number`` counts those of the entry ``distributions``."""

    distributions: str
    number: int
    seed: int
    d: int
    divergence: float


@dataclass(frozen=True)
class Search:
    """One distribution of an entry, and the seed of its start."""

    entry: str
    number: int
    distribution: Distribution
    seed: int
    d: int
    config: FitConfig


Optimum = tuple[LowRank, float]


def searches(
    config: LowRankTrainConfig, entry: str, drawn: tuple[Sequence[Distribution], Sequence[int]]
) -> list[Search]:
    """Return a search for each distribution of an entry, given with their seeds."""
    return [
        Search(entry, k, distribution, seed, config.d[entry], config.fit)
        for k, (distribution, seed) in enumerate(zip(*drawn, strict=True))
    ]


def optimum(search: Search) -> Optimum:
    """Return the fitted model and its divergence."""
    generator = generators([search.seed])[0]
    return fit(search.distribution, search.d, search.config, generator)


def table(done: Sequence[Search], optima: Sequence[Optimum]) -> pd.DataFrame:
    """Return a :class:`LowRankRow` for each search."""
    return pd.DataFrame(
        [
            {
                "distributions": search.entry, "number": search.number, "seed": search.seed,
                "d": search.d, "divergence": loss,
            }
            for search, (_, loss) in zip(done, optima, strict=True)
        ]
    )  # fmt: skip


def kept_models(done: Sequence[Search], optima: Sequence[Optimum]) -> dict[str, MemberModule]:
    """Return the models of the tabulated entries, a member a distribution."""
    grouped: dict[str, list[MemberModule]] = {}
    for search, (model, _) in zip(done, optima, strict=True):
        if search.entry in TABULATED:
            grouped.setdefault(search.entry, []).append(model)
    return {entry: concatenate(models) for entry, models in grouped.items()}


def fit(
    distribution: Distribution, d: int, config: FitConfig, generator: torch.Generator
) -> Optimum:
    """Return the low-rank model fitted to the distribution and its exact divergence in nats.

    The problem is not convex: of a random start and a spectral one the better end is kept.
    """
    model = LowRank(LowRankConfig(N=distribution.N, d=d), [generator])
    kept = likely(distribution, config.neglected)
    root = distribution.contexts[kept].sqrt()
    U, e = model.U[0].detach(), model.e[0].detach()[kept].T
    drawn = (U.clone(), START * e * root)
    ends = [
        _descend(distribution, kept, start, config)
        for start in (drawn, _spectral(distribution, kept, drawn, config.floor))
    ]
    best: tuple[float, Tensor, Tensor] | None = None
    for U, x in ends:
        full = torch.zeros(distribution.N**2, d, dtype=torch.float64)
        full[kept] = (x / root).T
        value = float(distribution.divergence(full @ U.T))
        if best is None or value < best[0]:
            best = (value, U, full)
    assert best is not None
    with torch.no_grad():
        model.U[0], model.e[0] = best[1], best[2]
    return model, best[0]


def likely(distribution: Distribution, neglected: float) -> Int[Tensor, " kept"]:
    """Return the contexts that can occur, likeliest first, less the rarest of that probability."""
    order = distribution.contexts.argsort(descending=True, stable=True)
    weight = distribution.contexts[order]
    return order[(weight.cumsum(0) - weight < 1 - neglected) & (weight > 0)]


def _spectral(
    distribution: Distribution, kept: Tensor, drawn: tuple[Tensor, Tensor], floor: float
) -> tuple[Tensor, Tensor]:
    """Start at the weighted singular vectors of the log-probabilities, as many as there are.

    Below ``floor`` they are cut: the divergence hardly sees how unlikely an unlikely token is.
    """
    logs = distribution.conditional[kept].clamp(min=floor).log()
    weighted = distribution.contexts[kept].sqrt()[:, None] * (logs - logs.mean(1, keepdim=True))
    left, values, right = torch.linalg.svd(weighted, full_matrices=False)
    U, x = drawn[0].clone(), drawn[1].clone()
    rank, scale = min(U.shape[1], len(values)), distribution.N**0.5
    U[:, :rank] = right[:rank].T * scale
    x[:rank] = (left[:, :rank] * values[:rank]).T / scale
    return U, x


def _descend(
    distribution: Distribution, kept: Tensor, start: tuple[Tensor, Tensor], config: FitConfig
) -> tuple[Float[Tensor, "N d"], Float[Tensor, "d kept"]]:
    """Run L-BFGS on U and x = e sqrt(weight).

    In x all contexts are equally curved, so rare ones do not hold the search up.
    """
    weight = distribution.contexts[kept]
    root, none = weight.sqrt(), torch.zeros(1, dtype=torch.float64)
    target = Target(weight[None], None, distribution.conditional[kept].T[None].contiguous(), none)
    U, x = (part.contiguous().requires_grad_() for part in start)
    iterations = max(1, min(config.iterations, config.work // len(kept)))
    search = torch.optim.LBFGS(
        [U, x], max_iter=iterations, max_eval=2 * iterations,
        history_size=config.history, tolerance_grad=1e-10, tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> float:
        search.zero_grad()
        cross_entropy = unembed_kl((x / root)[:, None], U[None], target).sum()
        cross_entropy.backward()
        return cross_entropy.item()

    search.step(loss)
    return U.detach(), x.detach()
