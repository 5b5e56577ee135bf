"""E7, the essay's "Meta-learning and few-shot inference": do demonstrations make basins?

In recall every shown pair is a demonstration. A head's update is repeated from the query of an
asked key, with the keys frozen: does it fall to the pair that was shown? And does that basin go
when the pair goes: when the asked key was never shown, another pair standing in its place?
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.transformer import Transformer
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.measure.trained.fixed_points import weights
from pipeline.labs.energy.models.heads import layers_of

BASIN = 0.9  # of the asked queries, at least, for a basin: fixed before any number was seen


def without_the_pair(
    task: recall.RecallConfig, sequences: recall.Sequences, streams: list[torch.Generator]
) -> recall.Sequences:
    """Show another pair, of a key that the sequence lacks, instead of the last one asked for.

    Raises ValueError if every key is shown, so that there is no other.
    """
    if task.pairs == task.keys:
        raise ValueError("a pair can be removed only if there are more keys than pairs")
    tokens = sequences.tokens.clone()
    at = recall.shown_at(task, sequences)[..., -1]
    used = tokens.sum(2)[..., : task.keys] > 0
    for member, stream in enumerate(streams):
        batch = torch.arange(tokens.shape[1])
        free = torch.rand(used.shape[1:], generator=stream).masked_fill(used[member], -1).argmax(-1)
        value = torch.randint(task.values, free.shape, generator=stream)
        for shift, token in ((0, free), (1, task.keys + value)):
            tokens[member, batch, at[member] + shift] = 0
            tokens[member, batch, at[member] + shift, token] = 1
    return recall.Sequences(tokens, sequences.answers)


def arrivals(
    task: recall.RecallConfig,
    model: Transformer,
    sequences: recall.Sequences,
    at: Tensor,
    *,
    repeated: bool,
) -> Float[Tensor, "member batch layer head"]:
    """Return whether the last asked query gives most weight to the pair at ``at``, by head."""
    last = recall.query_positions(task).stop - 2
    of_layers = []
    for layer in layers_of(model, sequences.tokens):
        with torch.no_grad():
            seen = weights(layer, slice(last, last + 1), repeated=repeated)[..., 0, :]
        index = at[:, :, None, None].expand(-1, -1, seen.shape[2], -1)
        pair = seen.gather(-1, index) + seen.gather(-1, index + 1)
        of_layers.append((pair[..., 0] > 0.5).double())
    return torch.stack(of_layers, dim=2)


def basins(
    task: recall.RecallConfig,
    model: Transformer,
    chosen_on: recall.Sequences,
    judged: recall.Sequences,
    streams: list[torch.Generator],
) -> dict[str, Float[Tensor, " member"]]:
    """Return how often the head that looks at pairs, chosen on other sequences, ends at the pair.

    ``step`` is after one update, ``end`` at the fixed point; ``removed_*`` the same place when
    another pair stands there; ``accuracy`` and ``removed_accuracy`` are of the last asked key.
    """
    at = recall.shown_at(task, chosen_on)[..., -1]
    looks = arrivals(task, model, chosen_on, at, repeated=False).mean(1).flatten(1)
    best = looks.argmax(1)
    removed = without_the_pair(task, judged, streams)
    at = recall.shown_at(task, judged)[..., -1]
    values = {}
    for prefix, sequences in (("", judged), ("removed_", removed)):
        for name, repeated in (("step", False), ("end", True)):
            found = arrivals(task, model, sequences, at, repeated=repeated).mean(1).flatten(1)
            values[prefix + name] = found.gather(1, best[:, None])[:, 0]
        with torch.no_grad():
            first_choice = model(sequences.tokens)[:, :, recall.query_positions(task)].argmax(-1)
        right = (first_choice == judged.answers)[..., -1].double()
        values[prefix + "accuracy"] = right.mean(1)
    return values
