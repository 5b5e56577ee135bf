"""O4: what a sequence model reads, by its derivatives and its weights (study, post 2, Fig. 2)."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.transformer import Attention, Transformer


def saliency(
    model: Transformer, window: Float[Tensor, "time 2"]
) -> Float[Tensor, "member time channel other_time other_channel"]:
    """Return dY_i^a / dX_j^b of every member at one window, by autograd."""
    start = window.to(next(model.parameters()).dtype)[None, None]

    def outputs(x: Tensor) -> Tensor:
        return model(x.expand(model.members, -1, -1, -1))[:, 0]

    jacobian = torch.autograd.functional.jacobian(outputs, start)
    return jacobian[:, :, :, 0, 0].double()


def off_diagonal_share(
    jacobian: Float[Tensor, "member time channel other_time other_channel"],
) -> Float[Tensor, " member"]:
    """Return the share of the derivatives' norm that comes from other positions (0: none)."""
    blocks = jacobian.square().sum((2, 4))
    total = blocks.sum((1, 2))
    same_position = blocks.diagonal(dim1=1, dim2=2).sum(-1)
    return ((total - same_position) / total).clamp(min=0).sqrt()


@torch.no_grad()
def path_norms(model: Transformer) -> dict[str, Float[Tensor, " member"]]:
    """Return Frobenius norms: of W_O, of the first layer's OV path and of the direct path.

    The paths lead from input to output channels: W_E W_U directly, W_E W_V W_O W_U through the
    attention. ``attention_share`` is the second over the first: zero if attention writes nothing.
    """
    layer = model.layers[0]
    assert isinstance(layer, Attention)
    direct = model.embed.W @ model.unembed.W
    through = model.embed.W @ layer.W_V @ layer.W_O @ model.unembed.W
    norms = {
        "norm_W_O": layer.W_O.norm(dim=(1, 2)),
        "norm_direct": direct.norm(dim=(1, 2)),
        "norm_attention": through.norm(dim=(1, 2)),
    }
    norms["attention_share"] = norms["norm_attention"] / norms["norm_direct"]
    return {name: value.double() for name, value in norms.items()}
