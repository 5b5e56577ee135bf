"""The attention memory: a transformer that reads two tokens and predicts the next one.

Dana, Pydi, Chevaleyre, *Memorization in Attention-only Transformers* (AISTATS 2025), section 3,
with the variations of the notebook before it. ``forward`` is the general path: any batch of
contexts, any depth. :mod:`pipeline.labs.memory.kernels.full_batch` computes the same for all
contexts at once.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from pydantic import model_validator
from torch import Tensor, nn

from pipeline.bounds import Hidden, Layers, Scale, Size
from pipeline.config import Section
from pipeline.core.nn.attention import pattern
from pipeline.core.nn.init import normal, uniform
from pipeline.core.nn.layers import MemberModule

Rows = Float[Tensor, "member row d"]
Seen = Float[Tensor, "member row d_head"]


class SkipsConfig(Section):
    """What a layer leaves out: its residual, or a part of what queries and keys, or values, see."""

    residual: bool
    pos_QK: bool  # noqa: N815
    emb_QK: bool  # noqa: N815
    pos_OV: bool  # noqa: N815
    emb_OV: bool  # noqa: N815

    @model_validator(mode="after")
    def _something_is_seen(self) -> "SkipsConfig":
        for part in ("QK", "OV"):
            if getattr(self, f"pos_{part}") and getattr(self, f"emb_{part}"):
                raise ValueError(
                    f"pos_{part} and emb_{part} cannot both be skipped: {part} would see nothing"
                )
        return self


class FreezeConfig(Section):
    """Which parameters keep their initial values."""

    E: bool
    P: bool
    QKV: bool
    O: bool  # noqa: E741 - the field's name of it
    U: bool


class InitialConfig(Section):
    """Scales of the initial values: the standard deviation of E and P, a factor on W_V and W_O.

    1 and 1 is the study's. Small tables and larger OV maps let the same steps memorise more.
    """

    embedding: Scale
    OV: Scale


class AttentionMemoryConfig(Section):
    """The shape of the model.

    ``n_heads`` heads stand in parallel (the paper's H), each of ``d_head`` channels with an output
    map of its own. A head may split its channels over several attention patterns, as
    nn.MultiheadAttention does: ``patterns_per_head``. ``mlp_width`` 0 is no MLP; ``mlp_depth``
    counts its hidden layers.
    """

    N: Size
    d: Size
    d_head: Size
    n_heads: Size
    patterns_per_head: Size
    n_layers: Layers
    mlp_width: Hidden
    mlp_depth: Layers
    norm: bool
    skips: SkipsConfig
    freeze: FreezeConfig
    initial: InitialConfig

    @model_validator(mode="after")
    def _patterns_divide(self) -> "AttentionMemoryConfig":
        if self.d_head % self.patterns_per_head:
            raise ValueError(
                "patterns_per_head must divide d_head, got "
                f"d_head = {self.d_head}, patterns_per_head = {self.patterns_per_head}"
            )
        return self

    @property
    def n_patterns(self) -> int:
        """Number of attention patterns in a layer."""
        return self.n_heads * self.patterns_per_head


class Layer(nn.Module):
    """Attention heads in parallel, summed, and an optional MLP; both residual.

    If d_head differs from d, one linear map leads into the heads' d_head channels, where the
    positions are added, and one leads back.
    """

    def __init__(self, config: AttentionMemoryConfig, generators: Sequence[torch.Generator]):
        super().__init__()
        self.config = config
        n, d, d_head = config.n_heads, config.d, config.d_head
        # Bounds of torch's nn.MultiheadAttention (one map to Q, K and V) and of nn.Linear.
        glorot = (6 / (4 * d_head)) ** 0.5
        self.W_Q, self.W_K, self.W_V = (
            uniform((n, d_head, d_head), glorot, generators) for _ in range(3)
        )
        self.W_O = uniform((n, d_head, d_head), d_head**-0.5, generators)
        if d_head != d:
            self.W_in = uniform((d, d_head), d**-0.5, generators)
            self.W_out = uniform((d_head, d), d_head**-0.5, generators)
        if config.norm:
            self.gain = nn.Parameter(torch.ones(len(generators), d))
            self.shift = nn.Parameter(torch.zeros(len(generators), d))
        widths = [d, *[config.mlp_width] * config.mlp_depth, d] if config.mlp_width else []
        self.mlp_W = nn.ParameterList(
            uniform((a, b), a**-0.5, generators) for a, b in pairwise(widths)
        )
        self.mlp_b = nn.ParameterList(
            uniform((b,), a**-0.5, generators) for a, b in pairwise(widths)
        )

    def inputs(self, x: Rows, position: Float[Tensor, "member d_head"]) -> tuple[Seen, Seen]:
        """Return what queries and keys see, and what values see, of rows at one position."""
        if self.config.norm:
            normed = nn.functional.layer_norm(x, x.shape[-1:])
            x = normed * self.gain[:, None] + self.shift[:, None]
        if self.config.d_head != self.config.d:
            x = x @ self.W_in
        skips, at = self.config.skips, position[:, None]

        def seen(emb: bool, pos: bool) -> Tensor:
            return at.expand_as(x) if emb else (x if pos else x + at)

        return seen(skips.emb_QK, skips.pos_QK), seen(skips.emb_OV, skips.pos_OV)

    def split(self, rows: Seen, weight: Tensor) -> Float[Tensor, "member row head d_sub"]:
        """Project rows by W_Q, W_K or W_V and split them over all patterns."""
        members, count, _ = rows.shape
        joined = weight.transpose(1, 2).flatten(2)  # [member, d_head, n_heads * d_head]
        return (rows @ joined).view(members, count, self.config.n_patterns, -1)

    @property
    def output_map(self) -> Float[Tensor, "member head d_sub d"]:
        """Each head's map from its channels back to the stream."""
        back = self.W_O if self.config.d_head == self.config.d else self.W_O @ self.W_out[:, None]
        return back.reshape(back.shape[0], self.config.n_patterns, -1, self.config.d)

    def attention(
        self, x: Float[Tensor, "member batch time d"], P: Float[Tensor, "member time d_head"]
    ) -> tuple[Tensor, Tensor]:
        """Return each head's output [member, batch, time, head, d] and its pattern."""
        members, batch, time, _ = x.shape
        seen = [self.inputs(x[:, :, t], P[:, t]) for t in range(time)]
        qk, ov = (torch.stack(part, 2).flatten(1, 2) for part in zip(*seen, strict=True))
        q, k, v = (
            self.split(rows, weight)
            .view(members, batch, time, self.config.n_patterns, -1)
            .transpose(2, 3)
            for rows, weight in ((qk, self.W_Q), (qk, self.W_K), (ov, self.W_V))
        )
        weights = pattern(q, k, kind="softmax", causal=True)
        out = torch.einsum("mbhts,mhsd->mbthd", weights @ v, self.output_map)
        return out, weights

    def add(self, x: Tensor, branch: Tensor) -> Tensor:
        """Add a branch to the stream, or replace the stream by it."""
        return branch if self.config.skips.residual else x + branch

    def mlp(self, x: Rows) -> Rows:
        """Add the MLP of the rows, if there is one."""
        if not self.config.mlp_width:
            return x
        hidden = x
        for index, (W, b) in enumerate(zip(self.mlp_W, self.mlp_b, strict=True)):
            hidden = torch.baddbmm(b[:, None], nn.functional.gelu(hidden) if index else hidden, W)
        return self.add(x, hidden)


class AttentionMemory(MemberModule):
    """Embedding E, positions P, layers, unembedding U; M members at once.

    Initial values follow torch's modules of the study: E and P standard normal, the maps uniform.
    """

    Config = AttentionMemoryConfig

    def __init__(self, config: AttentionMemoryConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: AttentionMemoryConfig = config
        self.E = normal((config.N, config.d), 1.0, generators)
        self.P = normal((2, config.d_head), 1.0, generators)
        self.layers = nn.ModuleList(Layer(config, generators) for _ in range(config.n_layers))
        self.U = uniform((config.N, config.d), config.d**-0.5, generators)
        with torch.no_grad():
            for table in (self.E, self.P):
                table.mul_(config.initial.embedding)
            for name, parameter in self.named_parameters():
                if name.endswith(("W_V", "W_O")):
                    parameter.mul_(config.initial.OV)
        self._freeze()

    def _freeze(self) -> None:
        freeze = self.config.freeze
        for name, parameter in self.named_parameters():
            part = name.rpartition(".")[2]
            group = {"W_Q": "QKV", "W_K": "QKV", "W_V": "QKV", "W_O": "O"}.get(part, part)
            parameter.requires_grad_(not getattr(freeze, group, False))

    def forward(
        self, tokens: Int[Tensor, "member batch 2"], cache: dict[str, Tensor] | None = None
    ) -> Float[Tensor, "member batch N"]:
        """Return the logits of the next token; a ``cache`` takes each layer's heads and patterns.

        ``layer_0.heads`` is [member, batch, head, d] and ``layer_0.pattern`` [member, batch, head,
        key], both of the last position; ``stream`` [member, batch, d] is what U reads.
        """
        members, batch, time = tokens.shape
        index = tokens.flatten(1)[:, :, None].expand(-1, -1, self.config.d)
        x = self.E.gather(1, index).view(members, batch, time, -1)
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            heads, weights = layer.attention(x, self.P)
            if cache is not None:
                cache[f"layer_{number}.heads"] = heads[:, :, -1]
                cache[f"layer_{number}.pattern"] = weights[:, :, :, -1]
            x = layer.add(x, heads.sum(3))
            x = layer.mlp(x.flatten(1, 2)).view(members, batch, time, -1)
        if cache is not None:
            cache["stream"] = x[:, :, -1]
        return x[:, :, -1] @ self.U.transpose(1, 2)
