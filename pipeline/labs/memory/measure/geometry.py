"""M7, M8, M9: the geometry of unembeddings and context vectors, and its second-order theory."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.labs.memory.data.distribution import Distribution

Vectors = Float[Tensor, "context d"]
Unembedding = Float[Tensor, "N d"]


def gram(x: Float[Tensor, "row d"]) -> Float[Tensor, "row row"]:
    """Return the inner products of all rows."""
    return x @ x.T


def answer_cosines(
    e: Vectors, U: Unembedding, answer: Int[Tensor, " context"]
) -> Float[Tensor, " context"]:
    """Return the cosine between each context's vector and the unembedding of its right answer."""
    return torch.cosine_similarity(e, U[answer], dim=-1)


def column_projector(x: Float[Tensor, "N d"], rank: int) -> Float[Tensor, "N N"]:
    """Return the projector onto the ``rank`` leading left singular directions of the centred x.

    A constant added to all logits changes nothing, so the mean over tokens is off first.
    """
    left = torch.linalg.svd(x - x.mean(0), full_matrices=False)[0][:, :rank]
    return left @ left.T


def projector_distance(x: Float[Tensor, "N a"], y: Float[Tensor, "N b"], rank: int) -> float:
    """Return the Frobenius distance between two column projectors: 0 to sqrt(2 rank)."""
    return float(torch.linalg.norm(column_projector(x, rank) - column_projector(y, rank)))


def log_probabilities(distribution: Distribution) -> Float[Tensor, "context N"]:
    """Return log p(c | a, b) less its mean over c."""
    logs = distribution.conditional.log()
    return logs - logs.mean(1, keepdim=True)


def random_distance(
    directions: Float[Tensor, "N a"], rank: int, draws: int, generator: torch.Generator
) -> float:
    """Return the mean distance of ``rank`` normal random directions from these."""
    N = directions.shape[0]
    drawn = torch.randn(draws, N, rank, generator=generator, dtype=torch.float64)
    return sum(projector_distance(x, directions, rank) for x in drawn) / draws


def second_order_vectors(distribution: Distribution, U: Unembedding) -> Vectors:
    """Return w_e = VAR^-1 COV of every context, the optimum given U to second order.

    KL(p || softmax f) = Var_p(f - log p) / 2 + third order; over f = U w it is least where
    Cov_p(U) w = Cov_p(U, log p). Contexts stand at a N + b, in the distribution's own order.
    """
    p, logs = distribution.conditional, log_probabilities(distribution)
    mean = p @ U
    variance = torch.einsum("cn,ni,nj->cij", p, U, U) - mean[:, :, None] * mean[:, None]
    covariance = (p * logs) @ U - (p * logs).sum(1, keepdim=True) * mean
    return torch.linalg.solve(variance, covariance)


def least_squares_vectors(distribution: Distribution, U: Unembedding) -> Vectors:
    """Return the vectors whose logits U w are nearest to the log-probabilities, means over c off.

    The plain rival of :func:`second_order_vectors`: all tokens alike, whatever their probability.
    """
    centred = U - U.mean(0)
    return torch.linalg.lstsq(centred, log_probabilities(distribution).T).solution.T


def truncated_logits(distribution: Distribution, rank: int) -> Float[Tensor, "context N"]:
    """Return the log-probabilities' truncated singular value decomposition."""
    left, values, right = torch.linalg.svd(log_probabilities(distribution), full_matrices=False)
    return (left[:, :rank] * values[:rank]) @ right[:rank]


def transposed(e: Vectors) -> Vectors:
    """Reorder rows from a N + b to a + N b, the order that the study's notebook read by mistake."""
    N = round(len(e) ** 0.5)
    return e.view(N, N, -1).transpose(0, 1).reshape(N * N, -1)
