"""The classes of the lab's models that predict the next state of a window."""

from pipeline.core.nn.linear import LinearWindow
from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.models.scale_normalised import ScaleNormalised

FORECASTERS = (Transformer, LinearWindow, ScaleNormalised)
