"""Draw the conjunction lab's figures from its measurements."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.conjunction import attention as conjunction_attention
from pipeline.figures.conjunction import gains as conjunction_gains
from pipeline.figures.conjunction import scaling as conjunction_scaling
from pipeline.figures.conjunction.comparison import comparison
from pipeline.figures.conjunction.samples import samples
from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.conjunction.datasets import DataConfig
from pipeline.labs.conjunction.search import SearchConfig
from pipeline.runtime import drawings
from pipeline.stages.conjunction import _results as results


class Params(StageParams):
    """Sizes of the figures, the tasks of C3, and the threshold of C5."""

    style: StyleConfig = Field(alias="figures.style")
    samples: DataConfig = Field(alias="conjunction.samples")
    compare: DataConfig = Field(alias="conjunction.compare")
    search: SearchConfig = Field(alias="conjunction.search")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        figures = draw(params, inputs)
    for name, figure in figures.items():
        drawings.write_figure(out / name, figure)


def draw(params: Params, inputs: Path) -> dict[str, Figure]:
    """Read the results and draw them."""
    style, search = params.style, params.search
    about = f"{search.threshold:.0%} median accuracy, AND of {search.targets} of $T$ bits"
    needs, laws = results.read_scaling(inputs)
    ablated = laws.learner.str.startswith("ablated_")
    return {
        "c1_gains": conjunction_gains.gains(style, **results.read_gains(inputs)),
        "c3_samples": samples(style, results.read_samples(inputs, params.samples, params.compare)),
        "c4_comparison": comparison(style, *results.read_scores(inputs)),
        "c5_scaling": conjunction_scaling.scaling(style, needs, laws, about),
        "c5_ablation": conjunction_scaling.ablation(style, needs, laws[ablated], about),
        "c6_weights": conjunction_attention.weights(style, **results.read_weights(inputs)),
        "c7_graph": conjunction_attention.graph(style, **results.read_graph(inputs)),
        "learning_curves": learning_curves(
            style,
            results.read_histories(inputs),
            "Learning curves, a line for each seed",
            (("loss", "training loss"), ("validation_loss", "validation loss")),
            "cross entropy (nats)",
        ),
    }
