"""The laws of all experiments as arrays, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pipeline.config import Section
from pipeline.core.training.sampling import generators
from pipeline.labs.memory import laws
from pipeline.labs.memory.laws import Law, Support

Arrays = dict[str, Tensor]
LAW = 1  # the purpose of a seed's stream that draws its law

POWER = {
    "alphas": "float64 law 3",
    "seeds": "int64 seed",
    "first": "int16 seed k_1",
    "second": "int16 seed N k_2",
    "third": "int16 seed N N k_3",
}
DENSE = {
    "seeds": "int64 law",
    "first": "float64 law N",
    "second": "float64 law N N",
    "third": "float64 law N N N",
}
RANKED = DENSE | {"rank": "int64 law", "axis_aligned": "bool law", "W": "float64 law N N"}


class LawsConfig(Section):
    """The laws by name; each experiment reads its own."""

    curves_certain: laws.PowerConfig
    curves_uncertain: laws.PowerConfig
    freezing: laws.PowerConfig
    scaling: laws.PowerConfig
    skips: laws.PowerConfig
    maps: laws.PowerConfig
    heads: laws.PowerConfig
    superposition: laws.LastPositionConfig
    rank: laws.RankConfig
    almost_rank: laws.AlmostRankConfig
    lookup_10: laws.PowerConfig
    lookup_50: laws.PowerConfig
    lookup_70: laws.PowerConfig
    lookup_200: laws.PowerConfig


@dataclass(frozen=True)
class PowerLaws:
    """power_unif laws: for each seed ordered supports, to be weighted by any of the alphas."""

    seeds: Sequence[int]
    alphas: Sequence[tuple[float, ...]]
    supports: Sequence[tuple[Support, Support, Support]]
    N: int

    def laws(self, index: int = 0) -> list[Law]:
        """Return the law of each seed with the alphas at ``index``."""
        return [laws.power_unif(self.alphas[index], s, self.N) for s in self.supports]


def draw(config: Section) -> Arrays:
    """Draw the laws of one entry."""
    if isinstance(config, laws.PowerConfig):
        return _draw_power(config)
    if isinstance(config, laws.RankConfig):
        return _draw_ranked(config)
    if isinstance(config, laws.LastPositionConfig):
        streams = generators(config.seeds, LAW)
        drawn = [laws.last_position(config.N, config.k, config.p, g) for g in streams]
    elif isinstance(config, laws.AlmostRankConfig):
        drawn = [
            laws.almost_rank_d(
                config.N, config.rank, config.axis_aligned, config.high, config.low, g
            )
            for g in generators(config.seeds, LAW)
        ]
    else:
        raise TypeError(f"{type(config).__name__} describes no law")
    return _dense(drawn, config.seeds)


def _draw_power(config: laws.PowerConfig) -> Arrays:
    drawn = [
        laws.draw_supports(config.N, config.nb_tokens, g) for g in generators(config.seeds, LAW)
    ]
    names = ("first", "second", "third")
    stacked = {
        n: torch.stack(s).to(torch.int16)
        for n, s in zip(names, zip(*drawn, strict=True), strict=True)
    }
    return {
        "alphas": torch.tensor(config.alphas, dtype=torch.float64),
        "seeds": torch.tensor(config.seeds),
    } | stacked


def _draw_ranked(config: laws.RankConfig) -> Arrays:
    """Draw a law for each (rank, alignment, seed); W stands in the first columns, then zeros."""
    cases = [
        (rank, aligned, seed)
        for rank in config.ranks
        for aligned in config.axis_aligned
        for seed in config.seeds
    ]
    drawn, directions = [], torch.zeros(len(cases), config.N, config.N, dtype=torch.float64)
    for k, (rank, aligned, seed) in enumerate(cases):
        generator = generators([seed], LAW)[0]
        law, W = laws.rank_d(config.N, rank, aligned, config.flat, generator)
        drawn.append(law)
        directions[k, :, :rank] = W
    ranks, aligned_flags, seeds = zip(*cases, strict=True)
    extra = {"rank": torch.tensor(ranks), "axis_aligned": torch.tensor(aligned_flags)}
    return _dense(drawn, seeds) | extra | {"W": directions}


def _dense(drawn: Sequence[Law], seeds: Sequence[int]) -> Arrays:
    return {
        "seeds": torch.tensor(seeds),
        "first": torch.stack([law.first for law in drawn]),
        "second": torch.stack([law.second for law in drawn]),
        "third": torch.stack([law.third for law in drawn]),
    }


def power_laws(arrays: Mapping[str, Any]) -> PowerLaws:
    """Rebuild power_unif laws from their arrays."""
    supports = list(
        zip(*(arrays[name].long() for name in ("first", "second", "third")), strict=True)
    )
    return PowerLaws(
        seeds=arrays["seeds"].tolist(),
        alphas=[tuple(row) for row in arrays["alphas"].tolist()],
        supports=supports,
        N=arrays["second"].shape[1],
    )


def dense_laws(arrays: Mapping[str, Any]) -> list[Law]:
    """Rebuild laws from their tables."""
    return [
        Law(*tables)
        for tables in zip(arrays["first"], arrays["second"], arrays["third"], strict=True)
    ]
