"""Named models in one safetensors file: parameters, and beside them their class and configuration.

Writes are atomic and byte-reproducible; nothing is pickled. A file can name this package's own
models alone: what it holds never chooses what code runs.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel, Field, TypeAdapter
from safetensors import safe_open
from safetensors.torch import save as serialise

from pipeline.config import Section
from pipeline.runtime.files import ArtifactError, atomic, reading

Model = TypeVar("Model", bound=torch.nn.Module)


class Description(BaseModel):
    """What a file of models says of each one."""

    kind: str = Field(alias="class")
    config: dict[str, Any]
    members: int


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
