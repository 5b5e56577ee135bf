"""Stored patterns: how they are drawn, and what the networks refuse.

Patterns are rows, ``[pattern, d]``: the essay's X transposed.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def random_spins(
    count: int, d: int, generators: Sequence[torch.Generator]
) -> Float[Tensor, "member pattern d"]:
    """Draw unbiased patterns of +1 and -1, each member from its own generator (float32)."""
    bits = [torch.randint(0, 2, (count, d), generator=g, dtype=torch.int8) for g in generators]
    return torch.stack(bits).float() * 2 - 1


def random_unit(
    count: int, d: int, generators: Sequence[torch.Generator]
) -> Float[Tensor, "member pattern d"]:
    """Draw directions uniformly on the unit sphere (float64)."""
    drawn = [torch.randn(count, d, generator=g, dtype=torch.float64) for g in generators]
    return torch.nn.functional.normalize(torch.stack(drawn), dim=-1)


def random_clusters(
    clusters: int, count: int, d: int, similarity: float, generators: Sequence[torch.Generator]
) -> Float[Tensor, "member pattern d"]:
    """Draw ``clusters`` groups of unit vectors; two of a group have cosine about ``similarity``.

    Each is sqrt(c) centre + sqrt(1 - c) direction, normalised.
    """
    centres = random_unit(clusters, d, generators).repeat_interleave(count // clusters, dim=1)
    directions = random_unit(count, d, generators)
    mixed = similarity**0.5 * centres + (1 - similarity) ** 0.5 * directions
    return torch.nn.functional.normalize(mixed, dim=-1)


def require_patterns(patterns: Tensor) -> None:
    """Raise ValueError unless there are at least two patterns, all finite."""
    if patterns.ndim < 2 or patterns.shape[-2] < 2:
        count = patterns.shape[-2] if patterns.ndim > 1 else 1
        raise ValueError(f"an associative memory needs at least 2 patterns, got {count}")
    require_finite(patterns, "patterns")


def require_finite(values: Tensor, name: str) -> None:
    """Raise ValueError if a value is not finite."""
    # The extremes are nan or infinite if any value is, and take no memory of the values' size.
    if values.numel() and not bool(torch.isfinite(torch.stack(values.aminmax())).all()):
        bad = values[~torch.isfinite(values)][0]
        raise ValueError(f"{name} must be finite, got {bad.item()}")


def require_spins(values: Tensor, name: str) -> None:
    """Raise ValueError unless every value is +1 or -1."""
    bad = values[values.abs() != 1]
    if bad.numel():
        raise ValueError(f"{name} must be +1 or -1, got {bad[0].item()}")


def require_beta(beta: float) -> None:
    """Raise ValueError unless the inverse temperature is positive and finite."""
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta must be > 0 and finite, got {beta}")


def require_gamma(gamma: float) -> None:
    """Raise ValueError unless the step size is in (0, 2], where the energy cannot rise."""
    if not 0 < gamma <= 2:
        raise ValueError(f"gamma must be in (0, 2], got {gamma}")
