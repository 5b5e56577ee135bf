"""E7, E9: what the trained recall models read out, remember and ask for, beyond descent."""

from pathlib import Path

import torch
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import summary
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.measure.trained import basins, readout
from pipeline.labs.energy.report import recall as report
from pipeline.labs.energy.train.matching import best_match
from pipeline.labs.energy.train.recall import (
    TASK_ALONE,
    RecallHistoryRow,
    RecallTrainConfig,
    untrained,
)
from pipeline.runtime.formats import records, saved_models

FITTED, CHOSEN, REMOVED, JUDGED = 4, 5, 6, 7  # purposes of the seeds' streams: of no other stage
UNTRAINED = "untrained"
TASK = "task"  # the model of the task alone, which is looked into
HEADLINE = ("E7.energy_alone.readout_accuracy",)


class Params(StageParams):
    """The task, the seeds, the kinds of fixed points, and the sizes of the measurements."""

    task: recall.RecallConfig = Field(alias="energy.recall")
    train: RecallTrainConfig = Field(alias="energy.train_recall")
    phases: PhaseConfig = Field(alias="energy.phases")
    measure: report.RecallMeasureConfig = Field(alias="energy.measure_recall")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the temperatures; return readouts, learning, ``E7.curve``, ``E7.basins``, ``E9.*``."""
    task, seeds, config = params.task, params.train.seeds, params.measure
    folder = inputs / "energy_train_recall"
    trained = saved_models.read_models(folder / "models.safetensors", Transformer)
    history = records.read_table(folder / "history.csv", RecallHistoryRow)
    start = untrained(trained[TASK].config, seeds, params.train.training.torch_dtype)
    models = {name: model.double() for name, model in {UNTRAINED: start, **trained}.items()}
    fitted, judged, chosen = (
        drawn(task, seeds, count, purpose)
        for count, purpose in ((config.fitted, FITTED), (config.sequences, JUDGED),
                               (config.sequences, CHOSEN))
    )  # fmt: skip
    e7 = {
        name: summary({"readout_accuracy": readout.readout_accuracy(task, model, fitted, judged)})
        for name, model in models.items()
        if name in (UNTRAINED, TASK) or not params.train.losses.get(name, TASK_ALONE).task
    }
    highest = e7[UNTRAINED]["readout_accuracy_high"]
    for found in e7.values():  # whether training taught what a readout can use
        found["above_untrained"] = int(found["readout_accuracy_low"] > highest)
    cache: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        models[UNTRAINED](judged.tokens, cache=cache)
    e7["curve"] = report.curve(history, TASK, best_match(task, cache, judged))
    streams = generators(seeds, purpose=REMOVED)
    e7["basins"] = summary(basins.basins(task, models[TASK], chosen, judged, streams))
    e7["basins"]["above_mark"] = int(e7["basins"]["end_low"] > basins.BASIN)
    hot = report.temperatures(task, models[TASK], judged, config, params.phases)
    table = report.temperature_table(hot)
    records.write_table(out / "temperature.csv", table, report.TemperatureRow)
    learned = report.learning(history, list(trained), TASK)
    return {"E7": e7 | learned, "E9": {f"beta_times_{x:g}": values for x, values in hot.items()}}


def drawn(
    task: recall.RecallConfig, seeds: tuple[int, ...], count: int, purpose: int
) -> recall.Sequences:
    """Draw each seed's sequences from a stream of its own, in float64."""
    sequences = recall.draw(task, count, generators(seeds, purpose=purpose))
    return recall.Sequences(sequences.tokens.double(), sequences.answers)
