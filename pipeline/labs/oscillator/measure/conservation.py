"""Is energy conserved? The study's falsifiable test of a learned concept (post 4), for any model.

"The model has learned that energy decays as it should" is false if the energy of its trajectories
drifts from the exact one, or spreads around it. The test asks nothing of the model's inside.
"""

from jaxtyping import Float
from torch import Tensor

from pipeline.labs.oscillator.data.task import energy

CAP = 20.0  # |ln E / E_exact| beyond this (a factor of 5e8) counts as this


def log_energy_ratio(
    predicted: Float[Tensor, "member trajectory step 2"],
    true: Float[Tensor, "trajectory step 2"],
    omega0: Float[Tensor, " trajectory"],
) -> Float[Tensor, "member trajectory step"]:
    """Return ln E_predicted(t) / E_exact(t), within +-CAP; NaN counts as CAP."""
    w = omega0[:, None].expand(true.shape[:-1])
    ratio = energy(predicted, w.expand(predicted.shape[:-1])) / energy(true, w)
    return ratio.log().nan_to_num(nan=CAP).clamp(-CAP, CAP)


def conservation(
    predicted: Float[Tensor, "member trajectory step 2"],
    true: Float[Tensor, "trajectory step 2"],
    omega0: Float[Tensor, " trajectory"],
) -> dict[str, Float[Tensor, " member"]]:
    """Return ``energy_drift`` and ``energy_spread``, medians over trajectories.

    Drift is |ln E / E_exact| at the end of the rollout, spread its standard deviation over time.
    """
    ratio = log_energy_ratio(predicted, true, omega0)
    return {
        "energy_drift": ratio[:, :, -1].abs().median(1).values,
        "energy_spread": ratio.std(-1, correction=0).median(1).values,
    }
