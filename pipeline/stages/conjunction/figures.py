"""Draw the conjunction lab's figures from its measurements."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.conjunction.accuracy import accuracy
from pipeline.figures.conjunction.added import added
from pipeline.figures.conjunction.gains import gains
from pipeline.figures.conjunction.influence import influence
from pipeline.figures.conjunction.samples import samples
from pipeline.figures.conjunction.scaling import ablation, scaling
from pipeline.figures.conjunction.slopes import slopes
from pipeline.figures.conjunction.training import training
from pipeline.figures.conjunction.weights import weights
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.conjunction.data.accuracy_data import AccuracyData
from pipeline.labs.conjunction.data.datasets import DataConfig, DataSets, file_of, unpack
from pipeline.labs.conjunction.measure.gains import GainGrid
from pipeline.labs.conjunction.report.accuracy import AccuracyRow, ScoreRow
from pipeline.labs.conjunction.report.influence import AttentionWeights, InfluenceGraphs
from pipeline.labs.conjunction.report.samples import shown_samples
from pipeline.labs.conjunction.report.scaling import SampleComplexityRow, ScalingFitRow, SlopeRow
from pipeline.labs.conjunction.train.curves import AblationConfig, SearchConfig
from pipeline.labs.conjunction.train.fit import HistoryRow
from pipeline.labs.conjunction.train.mlp_searches import PerfectConfig
from pipeline.runtime.formats import drawings, records

CURVES = {
    "C4 MLP": "conjunction_train_mlp",
    "C4 attention": "conjunction_train_attention",
    "C7 rule task": "conjunction_train_rule",
}


class Params(StageParams):
    """Sizes of the figures, and what their labels say: the tasks, the search, the variants."""

    style: StyleConfig = Field(alias="figures.style")
    plain: DataConfig = Field(alias="conjunction.plain_data")
    accuracy: AccuracyData = Field(alias="conjunction.accuracy_data")
    rule: DataConfig = Field(alias="conjunction.rule_data")
    search: SearchConfig = Field(alias="conjunction.search")
    perfect: PerfectConfig = Field(alias="conjunction.perfect")
    ablation: AblationConfig = Field(alias="conjunction.ablation")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        for name, figure in draw(params, inputs).items():
            drawings.write_figure(out / name, figure)


def draw(params: Params, inputs: Path) -> dict[str, Figure]:
    """Read the results and draw them."""
    style, search, sparse = params.style, params.search, params.accuracy.groups["sparse"]
    tasks = {name: group.about for name, group in params.accuracy.tasks.items()}
    of_gains, of_accuracy, of_scaling, of_influence = (
        inputs / f"conjunction_measure_{name}"
        for name in ("gains", "accuracy", "scaling", "influence")
    )
    shown = shown_samples(params.plain, read_data(inputs, "plain", params.plain), None)
    shown |= shown_samples(sparse, read_data(inputs, "sparse", sparse), 1)
    scores = records.read_table(of_accuracy / "scores.csv", ScoreRow)
    accuracies = records.read_table(of_accuracy / "accuracy.csv", AccuracyRow)
    complexity = records.read_table(of_scaling / "sample_complexity.csv", SampleComplexityRow)
    fits = records.read_table(of_scaling / "scaling_fits.csv", ScalingFitRow)
    local = records.read_table(of_scaling / "slopes.csv", SlopeRow)
    graphs = records.read_arrays(of_influence / "influence.npz", InfluenceGraphs)
    histories = {
        title: records.read_table(inputs / stage / "history.csv", HistoryRow)
        for title, stage in CURVES.items()
    }
    return {
        "c1_gains": gains(style, records.read_arrays(of_gains / "gains.npz", GainGrid)),
        "c3_samples": samples(style, shown),
        "c4_accuracy": accuracy(style, scores, accuracies, tasks),
        "c5_scaling": scaling(style, complexity, fits, search),
        "c5_slopes": slopes(style, local, search),
        "c4_mlp_samples": added(style, complexity, search, params.perfect.tasks),
        "c5_ablation": ablation(style, complexity, fits, search, params.ablation.variants),
        "c6_weights": weights(
            style, records.read_arrays(of_influence / "weights.npz", AttentionWeights)
        ),
        "c7_influence": influence(style, graphs, next(iter(params.rule.tasks.values()))),
        "learning_curves": training(style, histories, tasks),
    }


def read_data(inputs: Path, file: str, config: DataConfig) -> dict[str, DataSets]:
    """Read the data sets of a section's tasks."""
    path = inputs / "conjunction_data" / f"{file}.npz"
    return unpack(records.read_arrays(path, file_of(config.tasks)), config.tasks)
