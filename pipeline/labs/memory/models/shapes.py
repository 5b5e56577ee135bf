"""Sizes of models, as params.yaml gives them, and the models of those sizes."""

from itertools import product
from typing import Annotated

from pydantic import Field

from pipeline.bounds import Hidden, Layers, Size
from pipeline.config import Section
from pipeline.labs.memory.models.attention import (
    AttentionMemoryConfig,
    FreezeConfig,
    InitialConfig,
    SkipsConfig,
)

Sizes = Annotated[tuple[Size, ...], Field(min_length=1)]
NO_SKIPS = SkipsConfig(residual=False, pos_QK=False, emb_QK=False, pos_OV=False, emb_OV=False)
NO_FREEZE = FreezeConfig(E=False, P=False, QKV=False, O=False, U=False)


class PointConfig(Section):
    """One model of a sweep; ``mlp`` gives the parameters of heads 2... to an MLP instead."""

    d: Size
    d_head: Size
    n_heads: Size
    n_layers: Layers
    mlp: bool

    @property
    def name(self) -> str:
        """The point's name in tables and metrics."""
        extra = "" if self.d_head == self.d else f"_dh{self.d_head}"
        depth = "" if self.n_layers == 1 else f"_l{self.n_layers}"
        return f"d{self.d}{extra}_h{self.n_heads}{depth}{'_mlp' if self.mlp else ''}"

    def model(self, N: int, initial: InitialConfig) -> AttentionMemoryConfig:
        """Return the model for N tokens.

        With ``mlp`` one head and an MLP of width 2 d (H - 1) stand for H heads: 4 d^2 (H - 1)
        parameters either way, up to biases.
        """
        width = 2 * self.d * (self.n_heads - 1) if self.mlp else 0
        return AttentionMemoryConfig(
            N=N, d=self.d, d_head=self.d_head, n_heads=1 if self.mlp else self.n_heads,
            patterns_per_head=1, n_layers=self.n_layers, mlp_width=width, mlp_depth=1, norm=False,
            skips=NO_SKIPS, freeze=NO_FREEZE, initial=initial,
        )  # fmt: skip


class GridConfig(Section):
    """Every combination of the lists; a ``d_head`` of 0 is d_head = d."""

    d: Sizes
    d_head: Annotated[tuple[Annotated[int, Field(ge=0, le=4096)], ...], Field(min_length=1)]
    n_heads: Sizes
    n_layers: Layers
    mlp: Annotated[tuple[bool, ...], Field(min_length=1)]

    @property
    def points(self) -> list[PointConfig]:
        """The grid's points, the last list fastest."""
        return [
            PointConfig(d=d, d_head=d_head or d, n_heads=H, n_layers=self.n_layers, mlp=mlp)
            for mlp, d, d_head, H in product(self.mlp, self.d, self.d_head, self.n_heads)
        ]


class ShapeConfig(Section):
    """A model of the notebook; d_head is d unless given."""

    d: Size
    d_head: Size | None
    n_heads: Size
    patterns_per_head: Size
    n_layers: Layers
    mlp_width: Hidden
    mlp_depth: Layers
    norm: bool

    def model(
        self,
        N: int,
        initial: InitialConfig,
        skips: SkipsConfig = NO_SKIPS,
        freeze: FreezeConfig = NO_FREEZE,
    ) -> AttentionMemoryConfig:
        """Return the model for N tokens."""
        plain = self.model_dump() | {"d_head": self.d_head or self.d}
        return AttentionMemoryConfig(N=N, skips=skips, freeze=freeze, initial=initial, **plain)
