"""Columns of C5's tables."""

POINTS = ["learner", "positions", "samples", "seed", "accuracy", "lean"]
NEEDS = ["learner", "positions", "samples", "low", "high"]
LAWS = [
    "learner",
    "exponent",
    "exponent_low",
    "exponent_high",
    "power_error",
    "per_doubling",
    "logarithm_error",
]
