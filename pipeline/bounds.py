"""Numbers of params.yaml as several classes take them, each with bounds on both sides.

The bounds are wide: they stop what can only fail, after hours or in a traceback with the old
outputs gone. A magnitude of at most 1e6 can be squared twice in float32; a size of at most 4096
makes square matrices of 128 MiB; a product of sizes is bounded by :func:`refuse_large`.
"""

from typing import Annotated

from pydantic import Field

LARGEST = 2 * 10**8  # numbers in one array: 1.5 GiB of float64, of which a stage holds several
MOST_STEPS = 10**8  # of training: a day at a millisecond a step

Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what numpy and torch both take
Steps = Annotated[int, Field(ge=1, le=MOST_STEPS)]
Count = Annotated[int, Field(ge=1, le=10**7)]  # samples, draws, iterations
Resamples = Annotated[int, Field(ge=100, le=10**5)]  # behind an interval of 95 %
Members = Annotated[int, Field(ge=1, le=1000)]  # stacked in one computation
Size = Annotated[int, Field(ge=1, le=4096)]  # width, heads, tokens, spins
Hidden = Annotated[int, Field(ge=0, le=10**5)]  # units of one hidden layer; 0 for none
Layers = Annotated[int, Field(ge=1, le=100)]

Real = Annotated[float, Field(ge=-1e6, le=1e6)]
NonNegative = Annotated[float, Field(ge=0, le=1e6)]
Positive = Annotated[float, Field(ge=1e-6, le=1e6)]
Rate = Annotated[float, Field(gt=0, le=100)]  # a learning rate; beyond it every model diverges
Scale = Annotated[float, Field(ge=1e-6, le=1000)]  # of initial parameters or of logits
Tolerance = Annotated[float, Field(ge=1e-15, le=1)]  # float64 rounds at 1e-16: never reached below
Frequency = Annotated[float, Field(ge=1e-3, le=1000)]  # rad/s
Damping = Annotated[float, Field(ge=0, le=1000)]  # 1/s
Age = Annotated[float, Field(ge=0, le=1000)]  # s
Duration = Annotated[float, Field(ge=1e-6, le=1000)]  # s


def refuse_large(what: str, *sizes: int) -> None:
    """Raise ValueError if an array of these sizes would not fit into memory."""
    total = 1
    for size in sizes:
        total *= size
    if total > LARGEST:
        product = " * ".join(map(str, sizes))
        raise ValueError(f"{what} must be <= {LARGEST:g} numbers in memory, got {product}")
