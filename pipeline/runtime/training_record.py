"""Train cells, and write what tracking reads: models, loss curves, and a list of the runs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.layers import MemberModule, concatenate
from pipeline.core.training.ensemble import History
from pipeline.runtime.compute import parallel, processes
from pipeline.runtime.formats import artifacts, model_list, saved_models
from pipeline.runtime.formats.model_list import HistoryRows, ModelEntry, SavedMember

Metrics = Mapping[str, Float[Tensor, " member"]]
OnStep = Callable[[], None]


@runtime_checkable
class Cell(Protocol):
    """Members of one model that one worker trains together; a lab's frozen dataclass.

    ``steps`` is how often its training calls ``on_step``; ``params`` is what it was trained with,
    flat, for the record; ``cost`` is about what a worker's time with it goes with.
    """

    @property
    def name(self) -> str:
        """The model's name; cells of one name are one model, their members joined."""

    @property
    def seeds(self) -> Sequence[int]:
        """A seed a member."""

    @property
    def steps(self) -> int:
        """The steps of its training."""

    @property
    def cost(self) -> float:
        """Its share of the work, in a unit of its stage: the dearest start first."""

    @property
    def params(self) -> Mapping[str, Any]:
        """What it was trained with."""


AnyCell = TypeVar("AnyCell", bound=Cell)


@dataclass(frozen=True)
class Outcome:
    """What a training returns; ``metrics`` are final values a member."""

    model: MemberModule
    history: History | None
    metrics: Metrics = field(default_factory=dict)


Train = Callable[
    [AnyCell, OnStep],
    tuple[MemberModule, History | None] | tuple[MemberModule, History | None, Metrics],
]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The members of one configuration after training; ``metrics`` are final values a member.

    ``register`` is the name under which the first seed's model can be loaded from the tracking
    store, with ``example`` as its input; None keeps it a file.
    """

    experiment: str
    name: str
    seeds: Sequence[int]
    model: MemberModule
    history: History | None
    params: Mapping[str, Any]
    metrics: Metrics = field(default_factory=dict)
    register: str | None = None
    example: Float[Tensor, "..."] | None = None


def tensor(values: Sequence[float]) -> Float[Tensor, " member"]:
    """Return one number a member as a tensor."""
    return torch.tensor(values, dtype=torch.float64)


def train_cells(train: Train[AnyCell], cells: Mapping[str, Sequence[AnyCell]]) -> list[Trained]:
    """Train the cells of each experiment; return a model a name, in the order of the cells.

    Workers compute ``train(cell, on_step)``, a top-level function that returns (model, history) or
    (model, history, metrics). Cells of one experiment and name are one model: their members are
    joined in order.
    """
    named = [(experiment, cell) for experiment, group in cells.items() for cell in group]
    outcomes = parallel.map_cells(
        processes.reporting(train),
        [cell for _, cell in named],
        description=", ".join(cells),
        units=sum(cell.steps for _, cell in named),
    )
    models: dict[tuple[str, str], list[tuple[AnyCell, Outcome]]] = {}
    for (experiment, cell), outcome in zip(named, outcomes, strict=True):
        models.setdefault((experiment, cell.name), []).append((cell, Outcome(*outcome)))
    return [_model(*names, parts) for names, parts in models.items()]


def _model(experiment: str, name: str, parts: Sequence[tuple[AnyCell, Outcome]]) -> Trained:
    outcomes = [outcome for _, outcome in parts]
    histories = [outcome.history for outcome in outcomes]
    if len({_recorded(outcome) for outcome in outcomes}) > 1:
        raise ValueError(f"{name}: only members with the same records can be joined")
    return Trained(
        experiment=experiment,
        name=name,
        seeds=[seed for cell, _ in parts for seed in cell.seeds],
        model=concatenate([outcome.model for outcome in outcomes]),
        history=_joined([history for history in histories if history is not None]),
        params=parts[0][0].params,
        metrics={
            metric: torch.cat([outcome.metrics[metric] for outcome in outcomes])
            for metric in outcomes[0].metrics
        },
    )


def _recorded(outcome: Outcome) -> tuple[tuple[object, ...], ...]:
    history = outcome.history
    curves = () if history is None else (*history.values, *history.steps)
    return tuple(outcome.metrics), curves


def _joined(histories: Sequence[History]) -> History | None:
    if not histories:
        return None
    values = {
        name: torch.cat([history.values[name] for history in histories], dim=1)
        for name in histories[0].values
    }
    return History(histories[0].steps, values)


def write(out: Path, trained: Sequence[Trained]) -> None:
    """Write models.safetensors, history.csv (if there are loss curves) and models.json."""
    saved_models.write_models(
        out / "models.safetensors", {item.name: item.model for item in trained}
    )
    tables = [history_table(item) for item in trained if item.history is not None]
    if tables:
        artifacts.write_csv(out / "history.csv", pd.concat(tables, ignore_index=True))
    write_entries(out, [entry(item, k) for item in trained for k in range(len(item.seeds))])


def write_entries(out: Path, entries: Sequence[ModelEntry]) -> None:
    """Write models.json: what tracking makes a run of, an entry each."""
    artifacts.write_json(out / model_list.FILE, model_list.content(entries))


def history_table(item: Trained) -> pd.DataFrame:
    """Return the loss curves in long form: model, seed, step, and a column a quantity."""
    assert item.history is not None
    frames = []
    for k, seed in enumerate(item.seeds):
        columns = {
            name: v[:, k].nan_to_num(torch.nan, torch.nan, torch.nan).numpy()
            for name, v in item.history.values.items()
        }
        frames.append(
            pd.DataFrame({"model": item.name, "seed": seed, "step": item.history.steps} | columns)
        )
    return pd.concat(frames, ignore_index=True)


def entry(item: Trained, member: int) -> ModelEntry:
    """Describe one trained model for the tracking store."""
    seed = item.seeds[member]
    final = {name: float(values[member]) for name, values in item.metrics.items()}
    if item.history is not None:
        final |= {name: float(v[-1, member]) for name, v in item.history.values.items()}
    where: dict[str, str | int | float] = {"model": item.name, "seed": seed}
    registered = item.register is not None and member == 0
    return ModelEntry(
        name=f"{item.experiment}.{item.name}.seed_{seed}",
        params={**item.params, "seed": seed, "parameters": item.model.parameters_per_member},
        # A model may run away on validation data; JSON and MLflow have no infinity.
        metrics={key: value if math.isfinite(value) else None for key, value in final.items()},
        history=None if item.history is None else HistoryRows(file="history.csv", where=where),
        model=SavedMember(file="models.safetensors", name=item.name, member=member),
        register_as=item.register if registered else None,
        example=item.example.tolist() if registered and item.example is not None else None,
    )
