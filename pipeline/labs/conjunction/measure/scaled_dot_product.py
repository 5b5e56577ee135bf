"""C2: this project's scaled dot-product attention against torch's, in the tutorial's setting.

Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3, bonus exercise 2, which asks for bit equality
with its own solution; two orders of summation agree only to rounding, which is what is measured.
"""

import math

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn

from pipeline.bounds import Size, refuse_large
from pipeline.config import Section, Seeds
from pipeline.core.nn.attention import attend
from pipeline.core.nn.init import fan_in_uniform
from pipeline.core.stats.intervals import Summary, summary
from pipeline.core.training.sampling import generators


class CheckConfig(Section):
    """Sizes: context length T, model dimension, key dimension; a random case for each seed."""

    positions: Size
    d_model: Size
    d_head: Size
    seeds: Seeds

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "CheckConfig":
        width = max(self.positions, self.d_model)
        refuse_large(
            "seeds * (the larger of positions and d_model)^2", len(self.seeds), width, width
        )
        return self


def positional_encoding(positions: int, d_model: int) -> Float[Tensor, "position d_model"]:
    """Return the sinusoids of Vaswani et al. 2017, section 3.5, also for odd d_model."""
    even = d_model + d_model % 2
    time = torch.arange(positions, dtype=torch.float64)[:, None]
    rate = torch.exp(torch.arange(0, even, 2, dtype=torch.float64) * (-math.log(10_000) / even))
    waves = torch.stack([(time * rate).sin(), (time * rate).cos()], dim=-1)
    return waves.flatten(1)[:, :d_model]


def rounding_errors(config: CheckConfig, dtype: torch.dtype) -> Float[Tensor, " member"]:
    """Return each seed's largest difference from torch, in units of rounding of the largest output.

    A unit is the dtype's epsilon times the largest absolute output.
    """
    streams = generators(config.seeds)
    shape = (config.positions, config.d_model)
    x = torch.stack([torch.rand(*shape, generator=g) for g in streams])
    x = x + positional_encoding(*shape)
    query, key = (fan_in_uniform(config.d_model, config.d_head, streams) for _ in "QK")
    value = fan_in_uniform(config.d_model, config.d_model, streams)
    q, k, v = ((x.to(dtype) @ w.detach().to(dtype))[:, None, None] for w in (query, key, value))
    ours = attend(q, k, v, kind="softmax", causal=False)
    torchs = nn.functional.scaled_dot_product_attention(q, k, v)
    unit = torch.finfo(dtype).eps * torchs.abs().amax((1, 2, 3, 4))
    return ((ours - torchs).abs().amax((1, 2, 3, 4)) / unit).double()


def measure(config: CheckConfig) -> dict[str, Summary]:
    """Summarise the differences over seeds, by dtype."""
    errors = {
        str(dtype).removeprefix("torch."): rounding_errors(config, dtype)
        for dtype in (torch.float32, torch.float64)
    }
    return {
        name: summary({"rounding_units": by_seed}) | {"rounding_units_max": float(by_seed.max())}
        for name, by_seed in errors.items()
    }
