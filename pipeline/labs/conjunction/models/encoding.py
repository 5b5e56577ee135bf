"""What each of the lab's models takes of a sequence of bits."""

from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.layers import MemberModule
from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.models.token_attention import indicators


def encode(model: MemberModule, bits: Float[Tensor, "member batch position"]) -> Tensor:
    """Return what ``model`` takes: the indicators of the tokens, or the bits themselves."""
    bits = bits.to(next(model.parameters()).dtype)
    return indicators(bits) if isinstance(model, BinaryAttention) else bits
