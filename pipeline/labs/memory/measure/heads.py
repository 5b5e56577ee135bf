"""M5, M6: what the heads of a trained memory look at, and what each writes to the logits."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.labs.memory.kernels.full_batch import attention_maps
from pipeline.labs.memory.models.attention import AttentionMemory, Layer


def maps(model: AttentionMemory) -> Float[Tensor, "member head first second"]:
    """Return the attention that each head gives to the first token, for every context."""
    layer = model.layers[0]
    assert isinstance(layer, Layer)
    with torch.no_grad():
        return attention_maps(layer, model.E, model.P).transpose(0, 1)


def effective_rank(singular: Float[Tensor, "*axes value"]) -> Float[Tensor, "*axes"]:
    """Return exp of the entropy of the singular values' shares (Roy & Vetterli 2007)."""
    share = singular / singular.sum(-1, keepdim=True)
    return (-torch.xlogy(share, share).sum(-1)).exp()


def all_contexts(N: int, members: int) -> Int[Tensor, "member context 2"]:
    """Return every context (a, b), at a N + b."""
    tokens = torch.arange(N)
    return torch.cartesian_prod(tokens, tokens).expand(members, -1, -1)


def head_outputs(model: AttentionMemory) -> Float[Tensor, "member context head d"]:
    """Return what each head of the last layer adds to the stream, for every context."""
    cache: dict[str, Tensor] = {}
    with torch.no_grad():
        model(all_contexts(model.config.N, model.members), cache)
    return cache[f"layer_{model.config.n_layers - 1}.heads"]


def to_logits(
    heads: Float[Tensor, "member context head d"], U: Float[Tensor, "member N d"]
) -> Float[Tensor, "member context head N"]:
    """Return each head's part of the logits less its mean over tokens, which changes nothing."""
    logits = torch.einsum("mchd,mnd->mchn", heads, U)
    return logits - logits.mean(-1, keepdim=True)


def to_coordinates(
    heads: Float[Tensor, "member context head d"], U: Float[Tensor, "member N d"]
) -> Float[Tensor, "member context head N"]:
    """Write each head's output as the smallest combination x of the rows of U: out = x U."""
    return torch.einsum("mchd,mdn->mchn", heads, torch.linalg.pinv(U))


def logit_difference(
    logits: Float[Tensor, "member context head N"], answer: Int[Tensor, "member context"]
) -> Float[Tensor, "member context head"]:
    """Return each head's part of the right logit above its mean part of the wrong ones.

    The sum over heads is the whole attention's.
    """
    right = logits.gather(-1, answer[:, :, None, None].expand(-1, -1, logits.shape[2], 1))[..., 0]
    wrong = (logits.sum(-1) - right) / (logits.shape[-1] - 1)
    return right - wrong


def by_answer(
    parts: Float[Tensor, "member context head N"],
    answer: Int[Tensor, "member context"],
    weight: Float[Tensor, "member context"],
) -> Float[Tensor, "member head answer N"]:
    """Average the heads' parts over the contexts of each right answer, by the contexts' weight.

    Of logits this is the direct logit attribution: the diagonal says which answers a head itself
    raises. Zero where no context has that answer.
    """
    one_hot = torch.nn.functional.one_hot(answer, parts.shape[-1]).to(parts) * weight[..., None]
    total = torch.einsum("mchn,mca->mhan", parts, one_hot)
    return total / one_hot.sum(1).clamp(min=torch.finfo(parts.dtype).tiny)[:, None, :, None]


def answers_raised_by_all(
    attribution: Float[Tensor, "member head answer N"],
) -> Float[Tensor, " member"]:
    """Return the share of answers that every head raises on average."""
    raised = attribution.diagonal(dim1=-2, dim2=-1) > 0
    present = attribution.abs().sum((1, 3)) > 0
    return (raised.all(1) & present).sum(1).double() / present.sum(1)
