"""Read and write what stages exchange: npz, safetensors, csv, json, png and svg.

Writes are atomic and byte-reproducible (no times, fixed order). Reads check what they find; an
:class:`ArtifactError` names the file and the stage that makes it. Nothing is pickled.
"""

import json
import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field, TypeAdapter
from safetensors import safe_open
from safetensors.torch import save as serialise

from pipeline.config import Section
from pipeline.files import ArtifactError as ArtifactError
from pipeline.files import atomic, reading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arrays = dict[str, NDArray[Any]]
Model = TypeVar("Model", bound=torch.nn.Module)


class Description(BaseModel):
    """What a file of models says of each one."""

    kind: str = Field(alias="class")
    config: dict[str, Any]
    members: int


def write_npz(path: Path, **arrays: NDArray[Any] | torch.Tensor) -> None:
    """Write named arrays (any shape; no objects) to ``path``."""
    plain = {
        name: np.asarray(a.detach() if torch.is_tensor(a) else a) for name, a in arrays.items()
    }
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **plain)


def read_npz(path: Path, **expected: str) -> Arrays:
    """Read arrays and check each against its expectation.

    An expectation is a dtype and axes, ``states="float64 trajectory time 2"``: a number is an exact
    size, a name is any size, the same wherever the name stands again.
    """
    # Opened here: NumPy leaves a file open that is no zip file.
    with reading(path), path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        missing = expected.keys() - set(file.files)
        if missing:
            raise ArtifactError(
                path, f"has no array {sorted(missing)[0]!r}, only {sorted(file.files)}"
            )
        arrays = {name: np.asanyarray(file[name]) for name in expected}
    sizes: dict[str, int] = {}
    for name, expectation in expected.items():
        dtype, *axes = expectation.split()
        array = arrays[name]
        typed = array.dtype.kind == "U" if dtype == "str" else array.dtype == dtype
        fits = len(axes) == array.ndim and all(
            size == (int(axis) if axis.isdigit() else sizes.setdefault(axis, size))
            for axis, size in zip(axes, array.shape, strict=True)
        )
        if not (typed and fits):
            wanted = ", ".join(f"{a}={sizes[a]}" if a in sizes else a for a in axes)
            raise ArtifactError(
                path,
                f"array {name!r} is {array.dtype} {array.shape}, expected {dtype} ({wanted})",
            )
    return arrays


def write_models(path: Path, models: Mapping[str, torch.nn.Module]) -> None:
    """Write named models: their parameters, and beside them their class and ``config``."""
    described: dict[str, Any] = {}
    state: dict[str, torch.Tensor] = {}
    for name, model in models.items():
        kind = type(model)
        described[name] = {
            "class": f"{kind.__module__}.{kind.__qualname__}",
            "config": model.config.model_dump(mode="json"),  # type: ignore[union-attr, operator]
            "members": model.members,
        }
        for key, tensor in model.state_dict().items():
            state[f"{name}/{key}"] = tensor.detach().contiguous()
    # One metadata key: several would be written in an order that changes from run to run.
    with atomic(path) as temporary:
        temporary.write_bytes(serialise(state, {"models": json.dumps(described)}))


def read_models(path: Path, kind: type[Model]) -> dict[str, Model]:
    """Read the models of a file, all of class ``kind``.

    Raises ArtifactError if the file is missing, truncated, foreign, or of another class.
    """
    with reading(path), safe_open(path, "pt") as file:
        metadata = (file.metadata() or {}).get("models", "{}")
        described = TypeAdapter(dict[str, Description]).validate_json(metadata)
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if not described:
        raise ArtifactError(path, "names no models of this project")
    return {name: _rebuild(path, name, d, state, kind) for name, d in described.items()}


def write_model(path: Path, model: torch.nn.Module) -> None:
    """Write one model; :func:`write_models` with the file's name for the model's."""
    write_models(path, {path.stem: model})


def read_model(path: Path, kind: type[Model], config: Section | None = None) -> Model:
    """Read a file of one model; with ``config``, one of that very configuration.

    Raises ArtifactError as :func:`read_models`, and if the configuration is another.
    """
    models = list(read_models(path, kind).values())
    if len(models) != 1:
        raise ArtifactError(path, f"holds {len(models)} models, expected one")
    if config is not None and models[0].config != config:
        found: Any = models[0].config
        raise ArtifactError(path, f"is of another configuration: {_difference(found, config)}")
    return models[0]


def _rebuild(
    path: Path,
    name: str,
    described: Description,
    state: Mapping[str, torch.Tensor],
    kind: type[Model],
) -> Model:
    found = _resolve(path, described.kind)
    if not issubclass(found, kind):
        raise ArtifactError(path, f"{name} is a {found.__name__}, expected a {kind.__name__}")
    own = {
        parameter: tensor
        for key, tensor in state.items()
        for of, _, parameter in [key.rpartition("/")]
        if of == name
    }
    with reading(path):
        config = found.Config.model_validate_json(json.dumps(described.config))
        model = found(config, [torch.Generator() for _ in range(described.members)])
    try:
        model.to(next(iter(own.values())).dtype).load_state_dict(own)
    except (RuntimeError, StopIteration, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ArtifactError(path, f"parameters of {name} do not fit it ({reason})") from error
    return model


def _resolve(path: Path, name: str) -> Any:
    module, _, kind = name.rpartition(".")
    # Only this package's own models: a file must not choose what code runs.
    if not module.startswith(("pipeline.core.", "pipeline.labs.")):
        raise ArtifactError(path, f"names no model of this project (class {name!r})")
    try:
        found = getattr(import_module(module), kind, None)
    except ImportError:
        found = None
    if not (isinstance(found, type) and issubclass(found, torch.nn.Module)) or (
        getattr(found, "Config", None) is None
    ):
        raise ArtifactError(path, f"names no model of this project (class {name!r})")
    return found


def _difference(found: Section, expected: Section) -> str:
    wanted = expected.model_dump()
    return ", ".join(
        f"{key} is {value!r}, expected {wanted.get(key)!r}"
        for key, value in found.model_dump().items()
        if value != wanted.get(key)
    )


def read_tensors(path: Path, **expected: str) -> dict[str, torch.Tensor]:
    """Read arrays as tensors; expectations as :func:`read_npz`."""
    return {name: torch.from_numpy(a) for name, a in read_npz(path, **expected).items()}


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index; numbers keep all their digits."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table that must have these columns (others may stand beside them)."""
    with reading(path):
        # What is cut off inside a line would read as a shorter number.
        if not path.read_bytes().endswith(b"\n"):
            raise ValueError("its last line has no end")
        table = pd.read_csv(path)
    missing = [column for column in columns if column not in table]
    if missing:
        raise ArtifactError(path, f"has no column {missing[0]!r}, only {list(table)}")
    return table


def write_json(path: Path, content: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write JSON; a number that is not finite is an error that names its key."""
    _refuse_non_finite(content, path.name)
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )


def _refuse_non_finite(content: Any, where: str) -> None:
    if isinstance(content, Mapping):
        for key, value in content.items():
            _refuse_non_finite(value, f"{where}: {key}" if ":" not in where else f"{where}.{key}")
    elif isinstance(content, (list, tuple)):
        for index, value in enumerate(content):
            _refuse_non_finite(value, f"{where}[{index}]")
    elif isinstance(content, float) and not math.isfinite(content):
        raise ValueError(f"{where} is {content}: only finite numbers can be written")


def read_json(path: Path) -> Any:
    """Read JSON."""
    with reading(path):
        return json.loads(path.read_text(encoding="utf-8"))


def write_figure(path: Path, figure: "Figure") -> None:
    """Write a figure as PNG and SVG beside each other, without dates or versions."""
    import matplotlib as mpl

    without: Mapping[str, None]
    for suffix, without in (
        (".png", {"Software": None}),
        (".svg", {"Date": None, "Creator": None}),
    ):
        # The salt makes the names inside an SVG file, else random ones.
        salted = mpl.rc_context({"svg.hashsalt": path.name})
        with salted, atomic(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, format=suffix[1:], metadata=without)
