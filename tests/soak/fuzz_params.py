"""A params file mutated in its text or in its tree."""

from random import Random
from typing import Any

from soak import fuzz_text, fuzz_tree


def mutated(rng: Random, text: bytes, tree: Any) -> tuple[bytes, str]:
    """Return a params file mutated once to three times, and the names of the mutations."""
    names = []
    if rng.random() < 0.5:
        for _ in range(rng.choice([1, 1, 2, 3])):
            mutation = rng.choice(fuzz_text.MUTATIONS)
            names.append(mutation.__name__)
            text = mutation(rng, text or b"\n")
        return text, " ".join(names)
    for _ in range(rng.choice([1, 1, 2, 3])):
        change = rng.choice(fuzz_tree.MUTATIONS)
        names.append(change.__name__)
        try:
            tree = change(rng, tree)
        except (TypeError, ValueError, AttributeError, IndexError):
            continue  # nothing is left of the kind that it changes
    return fuzz_tree.flow(tree).encode("utf-8", "surrogatepass"), " ".join(names)
