"""E7's task: associative recall, the transformer's version of retrieving a stored pattern.

A sequence is ``pairs`` distinct keys, each followed by its value, and then the same keys again in
another order, each followed by its value: k v k v ... | k v k v ... . At a key's second appearance
the next token is its value, which only the first half tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from pipeline.config import Section


class RecallConfig(Section):
    """How many ``keys`` and ``values`` there are, and how many ``pairs`` a sequence shows."""

    keys: Annotated[int, Field(ge=2, le=1024)]
    values: Annotated[int, Field(ge=2, le=1024)]
    pairs: Annotated[int, Field(ge=2, le=1024)]

    @model_validator(mode="after")
    def _enough_keys(self) -> "RecallConfig":
        if self.pairs > self.keys:
            raise ValueError(
                f"pairs must be <= keys (keys are distinct), got {self.pairs} and {self.keys}"
            )
        return self

    @property
    def tokens(self) -> int:
        """Size of the vocabulary: keys, then values."""
        return self.keys + self.values

    @property
    def length(self) -> int:
        """Length of a sequence."""
        return 4 * self.pairs


@dataclass(frozen=True)
class Sequences:
    """One-hot tokens, and the value (0 ... values - 1) to say at each key of the second half."""

    tokens: Float[Tensor, "member batch time token"]
    answers: Int[Tensor, "member batch pair"]


def draw(config: RecallConfig, batch: int, generators: Sequence[torch.Generator]) -> Sequences:
    """Draw sequences, each member from its own generator."""
    p = config.pairs
    tokens, answers = [], []
    for g in generators:
        keys = torch.rand(batch, config.keys, generator=g).argsort(1)[:, :p]
        values = torch.randint(config.values, (batch, p), generator=g)
        again = torch.rand(batch, p, generator=g).argsort(1)
        queried, answer = keys.gather(1, again), values.gather(1, again)
        pairs = torch.stack([torch.cat([keys, queried], 1), torch.cat([values, answer], 1)], dim=2)
        pairs[..., 1] += config.keys
        tokens.append(pairs.flatten(1))
        answers.append(answer)
    one_hot = torch.nn.functional.one_hot(torch.stack(tokens), config.tokens)
    return Sequences(one_hot.float(), torch.stack(answers))


def batches(
    config: RecallConfig, batch: int, generators: Sequence[torch.Generator], block: int = 16
) -> Iterator[Sequences]:
    """Yield fresh batches for ever; ``block`` of them are drawn at once."""
    while True:
        drawn = draw(config, batch * block, generators)
        for k in range(block):
            part = slice(k * batch, (k + 1) * batch)
            yield Sequences(drawn.tokens[:, part], drawn.answers[:, part])


def query_positions(config: RecallConfig) -> slice:
    """Return the positions of the keys of the second half."""
    return slice(2 * config.pairs, 4 * config.pairs, 2)


def shown_at(config: RecallConfig, sequences: Sequences) -> Int[Tensor, "member batch pair"]:
    """Return the position at which each asked key was first shown; its value is at the next."""
    index = sequences.tokens.argmax(-1)
    first = index[..., : 2 * config.pairs : 2]
    again = index[..., query_positions(config)]
    return 2 * (again[..., None] == first[..., None, :]).long().argmax(-1)


def log_likelihood(
    config: RecallConfig, outputs: Float[Tensor, "member batch time value"], sequences: Sequences
) -> Float[Tensor, "member batch pair"]:
    """Return the log-probability of each answer."""
    log_p = outputs[:, :, query_positions(config)].log_softmax(-1)
    return log_p.gather(-1, sequences.answers[..., None])[..., 0]


def accuracy(
    config: RecallConfig, model: nn.Module, sequences: Sequences
) -> Float[Tensor, " member"]:
    """Return the fraction of answers that are the model's first choice."""
    first_choice = model(sequences.tokens)[:, :, query_positions(config)].argmax(-1)
    return (first_choice == sequences.answers).double().mean((1, 2))
