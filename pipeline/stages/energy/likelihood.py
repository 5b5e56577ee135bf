"""E6: the continuous network as an energy-based model, trained exactly, against mixtures by EM."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.energy import likelihood_results as results
from pipeline.labs.energy.likelihood_training import (
    ENERGY_MODELS,
    Fits,
    LikelihoodCell,
    LikelihoodConfig,
    fit_cell,
)
from pipeline.runtime import artifacts, parallel, training_record

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The point sets, the model's size and its training."""

    likelihood: LikelihoodConfig = Field(alias="energy.likelihood")


def compute(cell: LikelihoodCell) -> Fits:
    """Fit one point set in a worker."""
    return fit_cell(cell, parallel.report)


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write the models, the losses and an example of each set; return ``E6.*``."""
    config = params.likelihood
    cells = [LikelihoodCell(name=name, config=config) for name in config.sets]
    steps = len(cells) * len(ENERGY_MODELS) * config.training.steps
    found = parallel.map_cells(compute, cells, description="E6", units=steps)
    fits = dict(zip(config.sets, found, strict=True))
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
    artifacts.write_csv(out / "losses.csv", results.table(fits))
    artifacts.write_npz(out / "examples.npz", **results.arrays(fits))
    return {"E6": results.metrics(config, fits)}
