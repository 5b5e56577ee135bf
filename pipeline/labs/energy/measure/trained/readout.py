"""E7: what can be read from a stream, by a linear readout fitted after training.

A loss of energies alone gives the readout no gradient, so its accuracy is chance whatever the
layers have learned. Here the layers are frozen and the best linear readout is fitted.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.transformer import Cache, Transformer
from pipeline.labs.energy.data import recall

RIDGE = 1e-4  # on standardised features: it makes the optimum unique
ITERATIONS = 150


def features(
    task: recall.RecallConfig, model: Transformer, sequences: recall.Sequences
) -> Float[Tensor, "member answer feature"]:
    """Return the last stream at the asked keys, and a constant."""
    cache: Cache = {}
    with torch.no_grad():
        model(sequences.tokens, cache=cache)
    stream = cache["final.residual"][:, :, recall.query_positions(task)].flatten(1, 2)
    return torch.cat([stream, torch.ones_like(stream[..., :1])], dim=-1)


def readout_accuracy(
    task: recall.RecallConfig,
    model: Transformer,
    fitted: recall.Sequences,
    judged: recall.Sequences,
) -> Float[Tensor, " member"]:
    """Fit softmax regression to some sequences; return its accuracy on others."""
    x, unseen = (features(task, model, sequences) for sequences in (fitted, judged))
    # A stream may have any scale; the constant has no spread.
    scale = x.std(1, keepdim=True).clamp(min=1e-12)
    scale[..., -1] = 1
    mean = x.mean(1, keepdim=True)
    mean[..., -1] = 0
    x, unseen = (x - mean) / scale, (unseen - mean) / scale
    weight = fit(x, fitted.answers.flatten(1), task.values)
    return ((unseen @ weight).argmax(-1) == judged.answers.flatten(1)).double().mean(1)


def fit(
    x: Float[Tensor, "member case feature"], answers: Tensor, classes: int
) -> Float[Tensor, "member feature class"]:
    """Return the weights of ridged softmax regression, all members at once (it is convex)."""
    weight = torch.zeros(x.shape[0], x.shape[2], classes, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight], max_iter=ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        log_p = (x @ weight).log_softmax(-1)
        loss = -log_p.gather(-1, answers[..., None])[..., 0].mean(1)
        total = (loss + RIDGE * weight.square().sum((1, 2))).sum()
        total.backward()
        return total

    optimizer.step(closure)
    return weight.detach()
