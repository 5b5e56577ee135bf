"""The study's attention models of the oscillator."""

from pydantic import model_validator

from pipeline.bounds import Layers, Size
from pipeline.config import Section
from pipeline.core.nn.transformer import TransformerConfig

N_CHANNELS = 2  # a state is (x, p)


class ShapeConfig(Section):
    """What the study varies: width, head size, depth, and the causal mask (post 2, Fig. 3-7)."""

    d_model: Size
    d_head: Size
    n_layers: Layers
    causal: bool

    @model_validator(mode="after")
    def _heads_fill_the_stream(self) -> "ShapeConfig":
        if self.d_model % self.d_head:
            raise ValueError(
                f"d_head must divide d_model, got d_head = {self.d_head}, d_model = {self.d_model}"
            )
        return self

    @property
    def transformer(self) -> TransformerConfig:
        """The study's model of this shape: softmax attention with residuals and two biases.

        No positions, no norms, no MLP (post 3, "The model"). The scale is 1 / sqrt(d_head), where
        the post prints sqrt(d_model); for its one-head models they are the same.
        """
        return TransformerConfig(
            d_in=N_CHANNELS,
            d_out=N_CHANNELS,
            d_model=self.d_model,
            d_head=self.d_head,
            n_layers=self.n_layers,
            attention="softmax",
            causal=self.causal,
            positions=0,
            previous_token=False,
            bias=True,
            mlp_width=0,
            norm=False,
        )
