"""Which seed a figure of a single seed shows."""

from jaxtyping import Float
from torch import Tensor


def median_member(values: Float[Tensor, " member"]) -> int:
    """Return the member whose value is the median, the lower one of two; the first of equals."""
    ordered = values.sort().values
    return int((values == ordered[(len(ordered) - 1) // 2]).int().argmax())
