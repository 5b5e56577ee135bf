"""Mean-field theory of the classical network at zero temperature.

Amit, Gutfreund and Sompolinsky, *Phys. Rev. Lett.* 55, 1530 (1985), replica-symmetric: with
y = m / sqrt(2 load r) the three equations for m, r and the susceptibility reduce to
    y (sqrt(2 load) + 2 exp(-y^2) / sqrt(pi)) = erf(y),    m = erf(y),
so each y > 0 names one load and one overlap. The retrieval state is the branch of larger y; it ends
at the largest load that any y has.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf, erfinv

Y_MAX = 6.0  # erf(6) = 1 - 2e-17: no float64 overlap lies beyond


def load_at(y: float) -> float:
    """Return the load N / d at which y solves the mean-field equations; 0 where none does."""
    root = erf(y) / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))
    return max(float(root), 0.0) ** 2 / 2


def critical_point() -> tuple[float, float]:
    """Return the critical load and the overlap there, (0.1379, 0.967)."""
    best = minimize_scalar(
        lambda y: -load_at(y), bounds=(0.5, Y_MAX), method="bounded", options={"xatol": 1e-10}
    )
    return load_at(best.x), float(erf(best.x))


def overlaps(loads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the overlap of the retrieval state at each load; 0 above the critical load.

    Raises ValueError for a load that is not positive and finite.
    """
    if not (np.isfinite(loads) & (loads > 0)).all():
        raise ValueError(f"loads must be > 0 and finite, got {loads.min()}")
    critical, m_critical = critical_point()
    y_critical = float(erfinv(m_critical))
    solved = [
        float(erf(brentq(lambda y, load=load: load_at(y) - load, y_critical, Y_MAX)))
        if load_at(Y_MAX) < load < critical
        else float(load < critical)
        for load in loads
    ]
    return np.array(solved)
