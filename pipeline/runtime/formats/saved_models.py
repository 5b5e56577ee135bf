"""Named models in one safetensors file: parameters, and beside them their class and configuration.

Writes are atomic and byte-reproducible; nothing is pickled. A file can name this package's own
models alone: what it holds never chooses what code runs.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel, Field, TypeAdapter
from safetensors import safe_open
from safetensors.torch import save as serialise

from pipeline.config import Section
from pipeline.one_line import shortened
from pipeline.runtime.files import ArtifactError, atomic, reading
from pipeline.runtime.formats import strict_json

Model = TypeVar("Model", bound=torch.nn.Module)
MOST_MEMBERS = 10**5  # each has a generator of random numbers, before its parameters are seen


class Description(BaseModel):
    """What a file of models says of each one."""

    kind: str = Field(alias="class")
    config: dict[str, Any]
    members: int = Field(ge=1, le=MOST_MEMBERS)


def write_models(path: Path, models: Mapping[str, torch.nn.Module]) -> None:
    """Write named models: their parameters, and beside them their class and ``config``."""
    described: dict[str, Any] = {}
    state: dict[str, torch.Tensor] = {}
    for name, model in models.items():
        described[name] = {
            "class": _class_path(type(model)),
            "config": model.config.model_dump(mode="json"),  # type: ignore[union-attr, operator]
            "members": model.members,
        }
        for key, tensor in model.state_dict().items():
            state[f"{name}/{key}"] = tensor.detach().contiguous()
    # One metadata key: several would be written in an order that changes from run to run.
    with atomic(path) as temporary:
        temporary.write_bytes(serialise(state, {"models": json.dumps(described)}))


def read_models(path: Path, *kinds: type[Model]) -> dict[str, Model]:
    """Read the models of a file, each of one of the classes ``kinds``.

    Raises ArtifactError if the file is missing, truncated, foreign, or of another class.
    """
    described, state = _content(path)
    known = {_class_path(kind): kind for kind in kinds}
    models = {}
    for name, description in described.items():
        if description.kind not in known:
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise ArtifactError(
                path, f"{shortened(name)} is a {shortened(description.kind)}, expected {expected}"
            )
        models[name] = _rebuild(path, name, description, state, known[description.kind])
    return models


def class_paths(path: Path) -> set[str]:
    """Return the dotted paths of the classes of a file's models; ArtifactError as for reading."""
    return {description.kind for description in _content(path)[0].values()}


def _content(path: Path) -> tuple[dict[str, Description], dict[str, torch.Tensor]]:
    with reading(path), safe_open(path, "pt") as file:
        metadata = (file.metadata() or {}).get("models", "{}")
        strict_json.parse(metadata)  # a model twice
        described = TypeAdapter(dict[str, Description]).validate_json(metadata)
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if not described:
        raise ArtifactError(path, "names no models of this project")
    return described, state


def _class_path(kind: type[torch.nn.Module]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


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
    kind: type[Any],
) -> Any:
    parameters = {
        parameter: tensor
        for key, tensor in state.items()
        for of, _, parameter in [key.rpartition("/")]
        if of == name
    }
    with reading(path):
        config = kind.Config.model_validate_json(json.dumps(described.config))
        # Without memory first: a configuration of few words may be one of a terabyte.
        with torch.device("meta"):
            expected = kind(config, _generators(described)).state_dict()
    if misfit := _misfit(parameters, expected):
        raise ArtifactError(path, f"parameters of {shortened(name)} do not fit it ({misfit})")
    with reading(path):
        model = kind(config, _generators(described))
        model.to(next(iter(parameters.values())).dtype).load_state_dict(parameters)
    return model


def _misfit(found: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> str | None:
    """Say what of the parameters in a file is not as those of the model that it describes."""
    for key in sorted(found.keys() | expected.keys()):
        if key not in found or key not in expected:
            return f"{shortened(key)} is {'missing' if key in expected else 'not one of its own'}"
        if found[key].shape != expected[key].shape:
            return f"{key} is {tuple(found[key].shape)}, expected {tuple(expected[key].shape)}"
    types = sorted({str(tensor.dtype) for tensor in found.values()})
    if len(types) != 1 or not all(tensor.is_floating_point() for tensor in found.values()):
        return f"they are of {' and '.join(types) or 'no type'}, expected one floating-point type"
    return None


def _generators(described: Description) -> list[torch.Generator]:
    return [torch.Generator() for _ in range(described.members)]


def _difference(found: Section, expected: Section) -> str:
    wanted = expected.model_dump()
    return ", ".join(
        f"{key} is {value!r}, expected {wanted.get(key)!r}"
        for key, value in found.model_dump().items()
        if value != wanted.get(key)
    )
