"""The essay's 2.2: is Q K^T "likely not full rank for structured data"?

Q K^T of a head has at most rank d_head, whatever the data. So what data add is told by its
effective rank, exp(entropy of the singular values over their sum) (Roy and Vetterli 2007), beside
that of normal queries and keys of the same shape, which have no structure.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.labs.energy.models.heads import AttentionLayer

ENERGY = 0.95  # of the squared singular values: what a low-rank approximation would keep


def singular_values(
    query: Float[Tensor, "*axes time d_head"], key: Float[Tensor, "*axes time d_head"]
) -> Float[Tensor, "*axes rank"]:
    """Return the singular values of Q K^T that can differ from 0, from factors of size d_head."""
    # With Q = U R and K = V S, Q K^T = U (R S^T) V^T.
    r, s = (torch.linalg.qr(x, mode="r").R for x in (query, key))
    return torch.linalg.svdvals(r @ s.mT)


def effective_rank(values: Float[Tensor, "*axes rank"]) -> Float[Tensor, "*axes"]:
    """Return exp(entropy of the singular values): the rank, if all are equal."""
    return torch.special.entr(values / values.sum(-1, keepdim=True)).sum(-1).exp()


def kept_rank(values: Float[Tensor, "*axes rank"]) -> Float[Tensor, "*axes"]:
    """Return the least rank that keeps :data:`ENERGY` of the squared singular values."""
    squares = values.square().cumsum(-1)
    below = squares < ENERGY * squares[..., -1:]
    return below.sum(-1).double() + 1


def ranks(layer: AttentionLayer, generator: torch.Generator) -> dict[str, Float[Tensor, " member"]]:
    """Return mean ranks over sequences and heads, over the sequence's length.

    ``rank_bound`` is the least of d_head and the length, over the length: the rank of anything.
    ``rank_ratio`` is the effective rank over that of normal queries and keys of the same shape.
    """
    with torch.no_grad():
        query = layer.query_of(layer.stream)
        length, d_head = query.shape[-2:]
        values = singular_values(query, layer.key)
        shape = (2, *query.shape[1:])
        normal = torch.randn(shape, dtype=query.dtype, generator=generator)
        unstructured = effective_rank(singular_values(normal[0], normal[1])).mean()
        effective = effective_rank(values).mean((1, 2))
        return {
            "rank_effective": effective / length,
            "rank_kept": kept_rank(values).mean((1, 2)) / length,
            "rank_bound": torch.full_like(effective, min(d_head, length) / length),
            "rank_ratio": effective / unstructured,
        }
