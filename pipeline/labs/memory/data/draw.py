"""The distributions of all experiments: their section, how they are drawn, the records they go to.

A file of distributions holds power_unif ones as ordered supports, all others as tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float64, Int16, Int64
from torch import Tensor

from pipeline.config import Section
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import families
from pipeline.labs.memory.data.distribution import Distribution

DISTRIBUTION = 1  # the purpose of a seed's stream that draws its distribution


class DistributionsConfig(Section):
    """The distributions by name; each experiment reads its own."""

    curves_certain: families.PowerConfig
    curves_uncertain: families.PowerConfig
    freezing: families.PowerConfig
    scaling: families.PowerConfig
    sizes_16: families.PowerConfig
    sizes_25: families.PowerConfig
    sizes_40: families.PowerConfig
    sizes_63: families.PowerConfig
    sizes_100: families.PowerConfig
    skips: families.PowerConfig
    maps: families.PowerConfig
    heads: families.PowerConfig
    superposition: families.LastPositionConfig
    rank: families.RankConfig
    rank_scaled: families.RankConfig
    almost_rank: families.AlmostRankConfig
    lookup_10: families.PowerConfig
    lookup_50: families.PowerConfig
    lookup_70: families.PowerConfig
    lookup_200: families.PowerConfig


@dataclass(frozen=True, kw_only=True)
class PowerDistributions:
    """power_unif: for each seed three ordered supports, to be weighted by any row of ``alphas``."""

    alphas: Float64[Tensor, "distribution 3"]
    seeds: Int64[Tensor, " seed"]
    first: Int16[Tensor, "seed k_1"]
    second: Int16[Tensor, "seed N k_2"]
    third: Int16[Tensor, "seed N N k_3"]

    @property
    def N(self) -> int:  # noqa: N802
        """Number of tokens."""
        return self.second.shape[1]

    def distributions(self, index: int = 0) -> list[Distribution]:
        """Return the distribution of each seed with the alphas at ``index``."""
        alphas = self.alphas[index].tolist()
        supports = (self.first.long(), self.second.long(), self.third.long())
        return [
            families.power_unif(alphas, chosen, self.N) for chosen in zip(*supports, strict=True)
        ]

    def all(self) -> tuple[list[Distribution], list[int]]:
        """Return the distributions of every row of alphas and seed, seeds fastest; their seeds."""
        count = len(self.alphas)
        drawn = [one for index in range(count) for one in self.distributions(index)]
        return drawn, self.seeds.tolist() * count


@dataclass(frozen=True, kw_only=True)
class TabulatedDistributions:
    """Distributions by their tables."""

    seeds: Int64[Tensor, " distribution"]
    first: Float64[Tensor, "distribution N"]
    second: Float64[Tensor, "distribution N N"]
    third: Float64[Tensor, "distribution N N N"]

    def distributions(self) -> list[Distribution]:
        """Return them in their order."""
        tables = zip(self.first, self.second, self.third, strict=True)
        return [Distribution(*table) for table in tables]

    def all(self) -> tuple[list[Distribution], list[int]]:
        """Return the distributions and their seeds."""
        return self.distributions(), self.seeds.tolist()


@dataclass(frozen=True, kw_only=True)
class RankedDistributions(TabulatedDistributions):
    """rank_d distributions with what made them: W stands in the first ``rank`` columns."""

    logit_scale: Float64[Tensor, " distribution"]
    rank: Int64[Tensor, " distribution"]
    axis_aligned: Bool[Tensor, " distribution"]
    W: Float64[Tensor, "distribution N N"]


@dataclass(frozen=True, kw_only=True)
class ScaledDistributions(TabulatedDistributions):
    """almost_rank_d distributions with the factor on their logits."""

    logit_scale: Float64[Tensor, " distribution"]


Drawn = PowerDistributions | TabulatedDistributions


def draw(config: Section) -> Drawn:
    """Draw the distributions of one entry."""
    if isinstance(config, families.PowerConfig):
        return _draw_power(config)
    if isinstance(config, families.RankConfig):
        return _draw_ranked(config)
    if isinstance(config, families.AlmostRankConfig):
        return _draw_almost_ranked(config)
    if isinstance(config, families.LastPositionConfig):
        streams = generators(config.seeds, DISTRIBUTION)
        drawn = [families.last_position(config.N, config.k, config.p, g) for g in streams]
        return TabulatedDistributions(**_tables(drawn, config.seeds))
    raise TypeError(f"{type(config).__name__} describes no distribution")


def _draw_power(config: families.PowerConfig) -> PowerDistributions:
    drawn = [
        families.draw_supports(config.N, config.support_sizes, g)
        for g in generators(config.seeds, DISTRIBUTION)
    ]
    first, second, third = (torch.stack(s).to(torch.int16) for s in zip(*drawn, strict=True))
    return PowerDistributions(
        alphas=torch.tensor(config.alphas, dtype=torch.float64),
        seeds=torch.tensor(config.seeds),
        first=first,
        second=second,
        third=third,
    )


def _draw_ranked(config: families.RankConfig) -> RankedDistributions:
    """Draw one for each (scale, rank, alignment, seed); a seed's logits are of one draw."""
    cases = [
        (scale, rank, aligned, seed)
        for scale in config.logit_scales
        for rank in config.ranks
        for aligned in config.axis_aligned
        for seed in config.seeds
    ]
    drawn, directions = [], torch.zeros(len(cases), config.N, config.N, dtype=torch.float64)
    for k, (scale, rank, aligned, seed) in enumerate(cases):
        generator = generators([seed], DISTRIBUTION)[0]
        made, W = families.rank_d(config.N, rank, aligned, scale, generator)
        drawn.append(made)
        directions[k, :, :rank] = W
    scales, ranks, aligned_flags, seeds = zip(*cases, strict=True)
    return RankedDistributions(
        logit_scale=torch.tensor(scales, dtype=torch.float64),
        rank=torch.tensor(ranks),
        axis_aligned=torch.tensor(aligned_flags),
        W=directions,
        **_tables(drawn, seeds),
    )


def _draw_almost_ranked(config: families.AlmostRankConfig) -> ScaledDistributions:
    """Draw one for each (scale, seed); a seed's logits are of one draw."""
    cases = [(scale, seed) for scale in config.logit_scales for seed in config.seeds]
    drawn = [
        families.almost_rank_d(
            config.N, config.rank, config.axis_aligned, scale * config.high, scale * config.low,
            generators([seed], DISTRIBUTION)[0],
        )
        for scale, seed in cases
    ]  # fmt: skip
    scales, seeds = zip(*cases, strict=True)
    return ScaledDistributions(
        logit_scale=torch.tensor(scales, dtype=torch.float64), **_tables(drawn, seeds)
    )


def _tables(drawn: Sequence[Distribution], seeds: Sequence[int]) -> dict[str, Any]:
    return {
        "seeds": torch.tensor(seeds),
        "first": torch.stack([one.first for one in drawn]),
        "second": torch.stack([one.second for one in drawn]),
        "third": torch.stack([one.third for one in drawn]),
    }
