"""What the stages that train forecasters share."""

from collections.abc import Sequence

from pipeline.core.nn.layers import MemberModule
from pipeline.core.training.ensemble import History
from pipeline.labs.oscillator.forecast import ForecastCell, train_forecaster
from pipeline.runtime import parallel, training_record


def compute(cell: ForecastCell) -> tuple[MemberModule, History]:
    """Train one cell in a worker."""
    return train_forecaster(cell, parallel.report)


def train_cells(experiment: str, cells: Sequence[ForecastCell]) -> list[training_record.Trained]:
    """Train all cells and join those of one name along the members, in the cells' order."""
    steps = sum(cell.training.steps for cell in cells)
    results = parallel.map_cells(compute, cells, description=experiment, units=steps)
    names = dict.fromkeys(cell.name for cell in cells)
    done = []
    for name in names:
        own = [k for k, cell in enumerate(cells) if cell.name == name]
        model, history = training_record.joined([results[k] for k in own])
        cell = cells[own[0]]
        done.append(
            training_record.Trained(
                experiment=experiment,
                name=name,
                seeds=[seed for k in own for seed in cells[k].seeds],
                model=model,
                history=history,
                params={
                    **cell.config.model_dump(mode="json"),
                    **cell.training.model_dump(mode="json"),
                    "loss_kind": cell.loss,
                },
            )
        )
    return done
