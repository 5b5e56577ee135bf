"""The attention-only transformer of the studies, M members at once."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from pipeline.bounds import Hidden, Layers, Size
from pipeline.config import Section
from pipeline.core.nn.attention import Kind, attend, pattern
from pipeline.core.nn.gram import gram_attention
from pipeline.core.nn.init import fan_in_uniform
from pipeline.core.nn.layers import MemberLinear, MemberModule

Cache = dict[str, Tensor]


class TransformerConfig(Section):
    """An attention-only transformer, by default as in the studies: no positions, MLP or norm.

    ``positions`` is the longest sequence with learned positions (0: none). ``previous_token`` gives
    each position the channels of the one before it too. ``mlp_width`` adds a GELU MLP after each
    attention (0: none); ``norm`` a root-mean-square norm before each sub-layer.
    """

    d_in: Size
    d_out: Size
    d_model: Size
    d_head: Size
    n_layers: Layers
    attention: Kind
    causal: bool
    positions: Annotated[int, Field(ge=0, le=4096)]
    previous_token: bool
    bias: bool
    mlp_width: Hidden
    norm: bool

    @model_validator(mode="after")
    def _heads_fill_the_stream(self) -> "TransformerConfig":
        if self.d_model % self.d_head:
            raise ValueError(
                f"d_head must divide d_model, got d_head = {self.d_head}, d_model = {self.d_model}"
            )
        return self

    @property
    def n_heads(self) -> int:
        """Number of heads, d_model / d_head."""
        return self.d_model // self.d_head

    def work(self, time: int) -> float:
        """Return about how many products the layers need for a sequence of so many positions."""
        pairs = time if self.attention == "softmax" or self.causal else self.d_head
        return float(self.n_layers * time * self.d_model * (4 * self.d_model + 2 * pairs))


class Attention(nn.Module):
    """Multi-head attention; W_Q, W_K, W_V map the stream to the heads, W_O maps back."""

    def __init__(self, config: TransformerConfig, generators: Sequence[torch.Generator]):
        super().__init__()
        self.config = config
        d = config.d_model
        self.W_Q = fan_in_uniform(d, d, generators)
        self.W_K = fan_in_uniform(d, d, generators)
        self.W_V = fan_in_uniform(d, d, generators)
        self.W_O = fan_in_uniform(d, d, generators)

    def split(self, x: Tensor, weight: Tensor) -> Tensor:
        """Map [member, batch, time, d_model] by a weight to [member, batch, head, time, d_head]."""
        members, batch, time, _ = x.shape
        projected = x.reshape(members, batch * time, -1) @ weight
        heads = projected.view(members, batch, time, self.config.n_heads, self.config.d_head)
        return heads.transpose(2, 3)

    def forward(self, x: Tensor, queries: Tensor, cache: Cache | None, layer: int) -> Tensor:
        """Return the heads' sum for ``queries`` (the last positions of ``x``) [..., d_model]."""
        kind, causal = self.config.attention, self.config.causal
        if kind == "linear" and not causal and cache is None:
            weights = (self.W_Q, self.W_K, self.W_V, self.W_O)
            return gram_attention(x, queries, weights, self.config.d_head)
        q, k, v = self.split(queries, self.W_Q), self.split(x, self.W_K), self.split(x, self.W_V)
        if cache is None:
            z = attend(q, k, v, kind=kind, causal=causal)
        else:
            seen = pattern(q, k, kind=kind, causal=causal)
            z = seen @ v
            named = {"pattern": seen, "q": q, "k": k, "v": v, "z": z}
            cache |= {f"layer_{layer}.{name}": tensor for name, tensor in named.items()}
        members, batch, _, time, _ = z.shape
        joined = z.transpose(2, 3).reshape(members, batch * time, -1)
        return (joined @ self.W_O).view(members, batch, time, -1)


class Transformer(MemberModule):
    """Embedding, residual attention layers, unembedding (oscillator study, post 3, "The model").

    ``forward`` maps [member, batch, time, d_in] to [member, batch, time, d_out]; with ``last_only``
    the last layer computes the query of the last position alone and time is 1.
    """

    Config = TransformerConfig

    def __init__(self, config: TransformerConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: TransformerConfig = config
        d_token = config.d_in * (2 if config.previous_token else 1)
        self.embed = MemberLinear(d_token, config.d_model, generators, bias=config.bias)
        self.layers = nn.ModuleList(Attention(config, generators) for _ in range(config.n_layers))
        self.mlps = nn.ModuleList(
            nn.Sequential(
                MemberLinear(config.d_model, config.mlp_width, generators, bias=config.bias),
                nn.GELU(),
                MemberLinear(config.mlp_width, config.d_model, generators, bias=config.bias),
            )
            for _ in range(config.n_layers if config.mlp_width else 0)
        )
        self.unembed = MemberLinear(config.d_model, config.d_out, generators, bias=config.bias)
        if config.positions:
            self.W_pos = fan_in_uniform(config.positions, config.d_model, generators)

    def forward(
        self,
        x: Float[Tensor, "member batch time d_in"],
        *,
        last_only: bool = False,
        cache: Cache | None = None,
    ) -> Float[Tensor, "member batch out d_out"]:
        """Compute the outputs; a ``cache`` dict is filled with the activations of every layer.

        Raises ValueError if a sequence is longer than the learned positions.
        """
        stream = self.tokens(x)
        for index, layer in enumerate(self.layers):
            last = last_only and index == len(self.layers) - 1
            kept = stream[:, :, -1:] if last else stream
            if cache is not None:
                cache[f"layer_{index}.residual"] = stream
            stream = kept + layer(self.normed(stream), self.normed(kept), cache, index)
            if self.mlps:
                stream = stream + self.mlps[index](self.normed(stream))
        if cache is not None:
            cache["final.residual"] = stream
        return self.unembed(stream)

    def tokens(self, x: Tensor) -> Tensor:
        """Embed the channels (and those of the previous position) and add the positions."""
        if self.config.previous_token:
            # The first position has no previous one: it stands for itself.
            x = torch.cat([x, torch.cat([x[:, :, :1], x[:, :, :-1]], dim=2)], dim=-1)
        stream = self.embed(x)
        if not self.config.positions:
            return stream
        time = x.shape[2]
        if time > self.config.positions:
            raise ValueError(
                f"a sequence of {time} is longer than the {self.config.positions} positions"
            )
        return stream + self.W_pos[:, None, :time]

    def normed(self, x: Tensor) -> Tensor:
        """Divide by the root mean square over d_model, if the model has norms."""
        if not self.config.norm:
            return x
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
