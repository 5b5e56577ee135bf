"""What the memory lab's names are called in figures; a name of the user's own is spelt out."""

from collections.abc import Iterable
from typing import Any

EVALUATED = {
    "uniform": "all contexts alike",
    "population": "contexts by their probability",
    "train": "sampled contexts",
}
ENGINES = {"full_batch": "full batches", "minibatch": "minibatches"}
OBJECTIVES = {"divergence": "full divergence", "next_token": "next tokens"}
FREEZES = {
    "nothing": "nothing",
    "all_but_O": "all but the output maps",
    "O": "output maps",
    "QKV": "queries, keys, values",
    "E": "embeddings",
    "P": "positions",
    "U": "unembedding",
}
SKIPS = {
    "none": "nothing",
    "residual": "residual",
    "pos_QK": "positions in QK",
    "emb_QK": "embeddings in QK",
    "pos_OV": "positions in OV",
    "emb_OV": "embeddings in OV",
}
FORMS = {
    "power": "power, no constant",
    "shifted_power": "power and constant",
    "saturating": "saturating exponential",
    "joined_lines": "two joined lines",
}
ALIGNMENTS = {"aligned": "axis aligned", "unaligned": "not aligned"}


def named(name: str, known: dict[str, str]) -> str:
    """Return the words for a name; a combination ``a+b`` is named by its parts."""
    return ", ".join(known.get(part, part.replace("_", " ")) for part in name.split("+"))


def listed(values: Iterable[Any]) -> str:
    """Return the distinct values in order: "10", or "7, 10, 13"."""
    return ", ".join(str(value) for value in sorted(set(values)))


def seeds(counts: Iterable[int]) -> str:
    """Return how many seeds a figure's medians are of: "5 seeds", or "3 to 5 seeds"."""
    numbers = [int(count) for count in counts]
    least, most = min(numbers), max(numbers)
    return f"{most} seed{'s' * (most > 1)}" if least == most else f"{least} to {most} seeds"
