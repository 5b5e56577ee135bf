"""The energy lab's names in words."""

from collections.abc import Sequence

from pipeline.labs.energy.measure.capacity import Criterion

DYNAMICS = {
    ("asynchronous", False): "asynchronous, no diagonal",
    ("synchronous", False): "synchronous, no diagonal",
    ("asynchronous", True): "asynchronous, diagonal kept",
    ("synchronous", True): "synchronous, diagonal kept",
}
LIKELIHOOD_MODELS = {
    "energy": "energy model (weights tied)",
    "energy_origin": "energy model, origin learned",
    "em": "EM: free weights, same covariance",
    "em_covariance": "scikit-learn EM: one free covariance",
}
DIRECTIONS = {
    "real": "the layer's real update",
    "other_sequence": "another sequence's, same norm",
    "random": "random direction, same norm",
    "minus_gradient": "minus the gradient, same norm",
    "first_token_changed": "another first token's, same norm",
}
KINDS = {"global": "G", "metastable": "M", "single": "S"}


def words(name: str) -> str:
    """Return a name of params.yaml as words."""
    return name.replace("_", " ")


def criterion(stored: Criterion) -> str:
    """Say in words when patterns count as stored."""
    if stored.whole_draws:
        return f"all patterns stable in {stored.retrieved:.0%} of draws"
    if stored.radius:
        return f"{stored.retrieved:.0%} come back from {stored.radius:g} d flips"
    return f"{stored.retrieved:.0%} of patterns stable"


def span(numbers: Sequence[int]) -> str:
    """Return "8", or "8 to 256" for numbers that differ."""
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def bracketed(summary: dict[str, float], name: str, digits: int) -> str:
    """Return "0.137 [0.131, 0.140]": a quantity with its interval."""
    middle, low, high = (summary[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
