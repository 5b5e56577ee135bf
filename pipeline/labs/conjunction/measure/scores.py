"""C4: accuracy and loss of trained models on their seeds' validation sets."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.layers import MemberModule
from pipeline.labs.conjunction.data.datasets import DataSets
from pipeline.labs.conjunction.data.task import label
from pipeline.labs.conjunction.models.encoding import encode
from pipeline.labs.conjunction.train.fit import accuracies, losses

Scores = dict[str, Float[Tensor, " member"]]


def scores(model: MemberModule, data: DataSets) -> Scores:
    """Return each member's accuracy and loss on its validation set."""
    truth = label(data.valid, data.targets)
    with torch.no_grad():
        logits = model(encode(model, data.valid)).double()
    return {"accuracy": accuracies(logits, truth), "loss": losses(logits, truth)}
