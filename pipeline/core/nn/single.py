"""One member of an ensemble as an ordinary model, without the leading ``member`` axis."""

from torch import Tensor, nn

from pipeline.core.nn.layers import MemberModule


class SingleMember(nn.Module):
    """Wrap a model of one member: inputs and outputs lose their ``member`` axis.

    ``model`` maps [1, batch, ...] to [1, batch, ...]. Raises ValueError if it has other than one
    member.
    """

    def __init__(self, model: MemberModule):
        super().__init__()
        if model.members != 1:
            raise ValueError(f"expected a model of one member, got {model.members}")
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, ...] to [batch, ...] as the model does for its one member."""
        return self.model(x[None])[0]
