"""E7 on the memory lab's trained models: do they lower their heads' energies?"""

from pathlib import Path

from pipeline.stages.energy import _descent as descent
from pipeline.stages.energy import _memory as memory

TITLE = "E7 Does a trained layer lower its heads' energies? The memory lab's models"
Params = descent.Params
HEADLINE = ("*",)  # the numbers to compare


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write descent.csv and its figure; return ``E7.memory_MODEL_layer0``."""
    models = memory.at_work(inputs, params.descent.sequences)
    return descent.measure(params, models, TITLE, out / "e7_descent_memory")
