"""The divergence of a distribution from a linear softmax head, fused with its gradient.

KL(p || softmax(U x)) summed over contexts with weights. The logits [token, context] are the largest
array of these models, so loss and gradient are made in one pass over it, in place, with exp2.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

Stream = Float[Tensor, "d member context"]
Unembedding = Float[Tensor, "member token d"]


@dataclass(frozen=True)
class Target:
    """What is to be predicted, for each member and context.

    ``weight`` sums to one over the contexts. What follows is ``token``, for certain, or has a
    ``distribution``, with the token axis first as the logits have it. ``entropy`` is its weighted
    entropy in nats, 0 for certain tokens.
    """

    weight: Float[Tensor, "member context"]
    token: Int[Tensor, "member context"] | None
    distribution: Float[Tensor, "member token context"] | None
    entropy: Float[Tensor, " member"]


def unembed_kl(stream: Stream, U: Unembedding, target: Target) -> Float[Tensor, " member"]:
    """Return each member's weighted divergence in nats, differentiable in ``stream`` and ``U``."""
    loss: Tensor = _UnembedKL.apply(stream, U, target.weight, target.token, target.distribution)
    return loss - target.entropy


def unembed_logits(stream: Stream, U: Unembedding) -> Float[Tensor, "member token context"]:
    """Return the logits, tokens first."""
    return torch.bmm(U, stream.transpose(0, 1))


def loss_and_gradients(
    x: Float[Tensor, "member d context"],
    U: Unembedding,
    weight: Float[Tensor, "member context"],
    token: Int[Tensor, "member context"] | None,
    distribution: Float[Tensor, "member token context"] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return each member's weighted cross entropy in nats, and its gradients by ``x`` and ``U``."""
    logits = torch.bmm(U * math.log2(math.e), x)  # in bits: exp2 is 3 times faster than exp
    logits -= logits.amax(1, keepdim=True)
    if token is not None:
        hit = logits.gather(1, token[:, None])[:, 0]
    else:
        assert distribution is not None
        hit = (logits * distribution).sum(1)
    # Below 2^-100 of the largest nothing adds up at any precision; subnormal numbers are slow.
    mass = logits.clamp_(min=-100).exp2_().sum(1)
    loss = ((mass.log2() - hit) * weight).sum(1) * math.log(2)
    logits *= (weight / mass)[:, None]
    if token is not None:
        logits.scatter_add_(1, token[:, None], -weight[:, None])
    elif distribution is not None:
        logits.addcmul_(distribution, weight[:, None], value=-1)
    d_U = torch.bmm(x, logits.transpose(1, 2)).transpose(1, 2)
    return loss, torch.bmm(U.transpose(1, 2), logits), d_U


class _UnembedKL(torch.autograd.Function):
    """Weighted cross entropy; the forward pass makes the gradient too."""

    @staticmethod
    def forward(
        ctx: Any,
        stream: Tensor,
        U: Tensor,
        weight: Tensor,
        token: Tensor | None,
        distribution: Tensor | None,
    ) -> Tensor:
        x = stream.transpose(0, 1)
        loss, d_x, d_U = loss_and_gradients(x, U, weight, token, distribution)
        ctx.save_for_backward(d_x.transpose(0, 1), d_U)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        d_stream, d_U = ctx.saved_tensors
        return d_stream * grad[:, None], d_U * grad[:, None, None], None, None, None
