"""What a training stage writes: its models, their loss curves, and the list of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.layers import MemberModule, concatenate
from pipeline.core.training.ensemble import History
from pipeline.runtime import artifacts, model_list, saved_models
from pipeline.runtime.model_list import HistoryRows, ModelEntry, SavedMember


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
    metrics: Mapping[str, Float[Tensor, " member"]] = field(default_factory=dict)
    register: str | None = None
    example: Float[Tensor, "..."] | None = None


def tensor(values: Sequence[float]) -> Float[Tensor, " member"]:
    """Return one number a member as a tensor."""
    return torch.tensor(values, dtype=torch.float64)


def joined(parts: Sequence[tuple[MemberModule, History]]) -> tuple[MemberModule, History]:
    """Join the groups of members of one configuration, in their order."""
    histories = [history for _, history in parts]
    values = {
        name: torch.cat([history.values[name] for history in histories], dim=1)
        for name in histories[0].values
    }
    return concatenate([model for model, _ in parts]), History(histories[0].steps, values)


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
