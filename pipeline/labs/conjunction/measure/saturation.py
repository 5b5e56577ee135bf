"""C2: does 1 / sqrt(d) keep softmax attention from saturating?

Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3, section 2.2 (after Vaswani et al. 2017,
section 3.2.1): scores of independent unit-variance queries and keys have the variance d, and their
softmax has hardly a gradient where one weight is near 1.
"""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Members, Size, refuse_large
from pipeline.config import Section
from pipeline.core.stats.intervals import Summary, summary
from pipeline.core.training.sampling import generators

# Fixed before the run: nats of entropy that a doubling of d may cost and still count as none. From
# d = 2 to 512, eight doublings, it is a fifth of log 64.
FLAT = 0.1


class SaturationConfig(Section):
    """Keys of a query, queries of a seed, the widths d, and how many seeds, 0, 1, ..., draw."""

    keys: Annotated[int, Field(ge=2, le=4096)]
    queries: Size
    widths: Annotated[tuple[Size, ...], Field(min_length=2)]
    seeds: Members

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "SaturationConfig":
        refuse_large(
            "(keys + queries) * the largest of widths", self.keys + self.queries, max(self.widths)
        )
        refuse_large("keys * queries", self.keys, self.queries)
        return self


def entropy(
    query: Float[Tensor, "query d"], key: Float[Tensor, "key d"], *, scaled: bool
) -> Float[Tensor, " query"]:
    """Return the entropy of each query's weights, in nats; log(keys) where they are even."""
    scores = query @ key.T
    weights = (scores / query.shape[1] ** 0.5 if scaled else scores).softmax(-1)
    return torch.special.entr(weights).sum(-1)


def entropies(config: SaturationConfig, *, scaled: bool) -> Float[Tensor, "seed width"]:
    """Return each seed's mean entropy at every width, of standard normal queries and keys."""
    means = []
    for stream in generators(range(config.seeds)):
        for width in config.widths:
            sizes = ((config.queries, width), (config.keys, width))
            q, k = (torch.randn(*s, generator=stream, dtype=torch.float64) for s in sizes)
            means.append(entropy(q, k, scaled=scaled).mean())
    return torch.stack(means).view(config.seeds, -1)


def slopes(widths: tuple[int, ...], values: Float[Tensor, "seed width"]) -> Float[Tensor, " seed"]:
    """Return each seed's least-squares slope of the entropy in log2 d, in nats a doubling."""
    x = torch.tensor(widths, dtype=torch.float64).log2()
    centred = x - x.mean()
    return (values * centred).sum(-1) / centred.square().sum()


def measure(config: SaturationConfig) -> dict[str, Summary]:
    """Summarise entropies and their slopes with the factor 1 / sqrt(d) and without it.

    ``is_flat`` says whether the slope's whole interval lies within ``FLAT`` of 0.
    """
    results = {}
    for name, scaled in (("scaled", True), ("unscaled", False)):
        values = entropies(config, scaled=scaled)
        by_width = {f"entropy_d{d}": values[:, k] for k, d in enumerate(config.widths)}
        found = summary(by_width | {"nats_per_doubling": slopes(config.widths, values)})
        ends = (found["nats_per_doubling_low"], found["nats_per_doubling_high"])
        results[name] = found | {"is_flat": int(max(map(abs, ends)) <= FLAT)}
    return results
