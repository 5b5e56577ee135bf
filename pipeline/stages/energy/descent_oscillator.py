"""E7 on the oscillator lab's trained models: do they lower their heads' energies?"""

from pathlib import Path

from pipeline.stages.energy import _descent as descent
from pipeline.stages.energy import _oscillator as oscillator

TITLE = "E7 Does a trained layer lower its heads' energies? The oscillator lab's models"
Params = descent.Params
HEADLINE = ("*",)  # the numbers to compare


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write descent.csv and its figure; return ``E7.oscillator_MODEL_layerK``."""
    models = oscillator.at_work(inputs, params.descent.sequences)
    return descent.measure(params, models, TITLE, out / "e7_descent_oscillator")
