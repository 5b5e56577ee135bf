"""E3: why fewer patterns come back than the theory of the nearest pattern says.

The update gives a spin the sign that lowers E = -sum exp(x.xi). Let a state be k flips from its
pattern, and another pattern k + 1 from the state. At a spin where the two patterns differ and the
state is right, being wrong would move the state a flip away from its pattern and a flip nearer to
the other: distances k + 1 and k, the same sum of exponentials. So a pattern *one step farther* than
the right one already ties, and all the others decide. The theory of :mod:`exponential` asks for a
pattern as near as the right one; here the patterns that spoil a state are those within radius d + 1
flips, and they are the N - 1 others. No parameter is fitted.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom


def half_retrieved(d: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Return N at which half of the states have another pattern within ``radius`` d + 1 flips.

    (N - 1) P(Binomial(d, 1/2) <= radius d + 1) = log 2.
    """
    return 1 + np.log(2) / binom.cdf(np.round(radius * d) + 1, d, 0.5)
