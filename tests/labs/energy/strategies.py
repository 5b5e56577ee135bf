"""Patterns and states for the property tests."""

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SHAPES = st.tuples(st.integers(2, 6), st.integers(1, 5), st.integers(1, 6))  # pattern, state, d


def reals(*shape, largest=3.0):
    return hnp.arrays(np.float64, shape, elements=st.floats(-largest, largest, width=32)).map(
        torch.from_numpy
    )


@st.composite
def memories(draw):
    """Continuous patterns [1, pattern, d] and states [1, state, d]."""
    count, states, d = draw(SHAPES)
    return draw(reals(1, count, d)), draw(reals(1, states, d))


@st.composite
def spin_memories(draw):
    """+-1 patterns [1, pattern, d] and states [1, state, d], float32, d >= 2."""
    count, states, d = draw(SHAPES)
    bits = hnp.arrays(np.int8, (1, count + states, d + 1), elements=st.sampled_from([-1, 1]))
    spins = torch.from_numpy(draw(bits)).float()
    return spins[:, :count], spins[:, count:]
