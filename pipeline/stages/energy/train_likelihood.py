"""E6: the continuous network as an energy-based model, trained exactly, against mixtures by EM."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import summary
from pipeline.labs.energy.report import likelihood as report
from pipeline.labs.energy.train import norms
from pipeline.labs.energy.train.likelihood import (
    ENERGY_MODELS,
    Fits,
    LikelihoodCell,
    LikelihoodConfig,
    fit_cell,
)
from pipeline.runtime import training_record
from pipeline.runtime.compute import parallel, processes
from pipeline.runtime.formats import records

HEADLINE = ("E6.*.tied_weights_cost",)


class Params(StageParams):
    """The point sets, the model's size and its training."""

    likelihood: LikelihoodConfig = Field(alias="energy.likelihood")


def compute(cell: LikelihoodCell) -> Fits:
    """Fit one point set in a worker."""
    return fit_cell(cell, processes.report)


def compute_norms(cell: LikelihoodCell) -> norms.Norms:
    """Train with the partition function's term and without it, in a worker."""
    return norms.norms(cell, processes.report)


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write the models, the losses and an example of each set; return ``E6.*``."""
    config = params.likelihood
    cells = [LikelihoodCell(name=name, config=config) for name in config.sets]
    steps = len(cells) * len(ENERGY_MODELS) * config.training.steps
    fitted = parallel.map_cells(compute, cells, description="E6", units=steps)
    fits = dict(zip(config.sets, fitted, strict=True))
    training_record.write(
        out,
        [
            training_record.Trained(
                experiment="E6", name=f"{name}_{kind}", seeds=config.seeds, model=model,
                history=history, metrics={"test_loss": fit.losses[kind]},
                params={**model.config.model_dump(), **config.training.model_dump(mode="json")},
            )
            for name, fit in fits.items()
            for kind, (model, history) in fit.models.items()
        ],
    )  # fmt: skip
    records.write_table(out / "losses.csv", report.loss_table(fits), report.LossRow)
    records.write_arrays(out / "examples.npz", report.examples(config, fits))
    found = parallel.map_cells(
        compute_norms, cells, description="E6 norms", units=len(cells) * 2 * config.training.steps
    )
    results = report.results(config, fits)
    for name, values in zip(config.sets, found, strict=True):
        results[name] |= summary(values)
        results[name]["norms_checked"] = int(results[name]["norm_ratio_low"] > norms.CHECKED)
    return {"E6": results}
