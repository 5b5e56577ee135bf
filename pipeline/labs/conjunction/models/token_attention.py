"""Softmax attention over tokens of a small vocabulary, by a table of all pairs of tokens.

A sequence has one of V tokens at each of T positions, so queries and keys take only N = V T values,
whatever the number of sequences. Attention over a whole data set is then one N x N table of
exponentials and one product with the sequences' indicators [sequence, N], instead of a T x T
softmax for every sequence. Tokens are numbered ``token * T + position``.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

# float64's exponential is finite below 709; half of a range of 1,300 leaves room for the sums.
LARGEST_RANGE = 1300.0


def indicators(
    bits: Float[Tensor, "member batch position"],
) -> Float[Tensor, "member batch token"]:
    """Mark which of the 2 T binary tokens each sequence of zeros and ones holds."""
    return torch.cat([1 - bits, bits], dim=-1)


class _Quotients(torch.autograd.Function):
    """weighted / total of one product with the table [exponentials; exponentials * values].

    torch's own backward makes three times as many passes over [sequence, query] as are needed, and
    they, not the products, are the cost of small tables.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, present: Tensor, asked: Tensor | None) -> Tensor:
        total, weighted = (present @ table.transpose(-1, -2)).chunk(2, dim=-1)
        inverse = total.reciprocal() if asked is None else asked / total
        quotients = weighted * inverse
        ctx.save_for_backward(present, inverse, quotients)
        return quotients

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        present, inverse, quotients = ctx.saved_tensors
        queries = inverse.shape[-1]
        both = inverse.new_empty(*inverse.shape[:-1], 2 * queries)
        of_weighted = torch.mul(gradients[0], inverse, out=both[..., queries:])
        torch.mul(of_weighted, quotients, out=both[..., :queries])
        gradient = both.transpose(-1, -2) @ present
        gradient[:, :queries].neg_()
        return gradient, None, None


def attend_tokens(
    scores: Float[Tensor, "member query token"],
    values: Float[Tensor, "member token"],
    present: Float[Tensor, "member batch token"],
    *,
    vocabulary: int,
    asked: Float[Tensor, "member batch query"] | None = None,
) -> Float[Tensor, "member batch query"]:
    """Return each query's attention output, softmax over the sequence's own tokens of ``scores``.

    ``present`` holds exactly one of ``vocabulary`` tokens at each position. The output is 0 for the
    queries that a sequence has not ``asked`` (None: all are). Scores of any size are safe: where a
    query's range could overflow, the softmax is taken sequence by sequence.
    """
    if torch.compiler.is_exporting():
        # An exported graph cannot choose its path by the scores' range.
        return _of_asked(attend_sequences(scores, values, present), asked)
    by_position = scores.detach().unflatten(-1, (vocabulary, -1))
    # Every sequence holds, for each query, a key between these two: its sum cannot underflow.
    low = by_position.amin(-2).amax(-1)
    high = by_position.amax((-2, -1))
    if float((high - low).max()) > safe_range(scores.dtype):
        return _of_asked(attend_sequences(scores, values, present), asked)
    exponentials = (scores - ((low + high) / 2)[..., None]).exp()
    table = torch.cat([exponentials, exponentials * values[:, None]], dim=1)
    return _Quotients.apply(table, present, asked)


def _of_asked(output: Tensor, asked: Tensor | None) -> Tensor:
    return output if asked is None else output * asked


def safe_range(dtype: torch.dtype) -> float:
    """Return the widest range of scores whose exponentials, shifted by half of it, are finite."""
    return LARGEST_RANGE if dtype == torch.float64 else LARGEST_RANGE / 8


def attend_sequences(
    scores: Float[Tensor, "member query token"],
    values: Float[Tensor, "member token"],
    present: Float[Tensor, "member batch token"],
) -> Float[Tensor, "member batch query"]:
    """Return the same, plainly: a softmax for each sequence and query."""
    return torch.einsum("mbqt,mt->mbq", token_pattern(scores, present), values)


def token_pattern(
    scores: Float[Tensor, "member query token"],
    present: Float[Tensor, "member batch token"],
) -> Float[Tensor, "member batch query token"]:
    """Return the attention weights of each sequence; absent tokens have weight 0."""
    absent = (present == 0)[:, :, None]
    return scores[:, None].masked_fill(absent, -torch.inf).softmax(-1)
