"""A trained model in MLflow's registry: ``mlflow.pytorch.load_model("models:/NAME/VERSION")``.

The model is saved as an exported graph ("pt2"): no pickle, and loading it needs torch and
MLflow, not this package. Batch and time stay free; the example gives the other axes.
"""

import hashlib
import tempfile
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow.pytorch
import numpy as np
import torch
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.single import SingleMember
from pipeline.runtime.formats import saved_models
from pipeline.runtime.formats.model_list import FILE, ModelEntry, SavedMember
from pipeline.tracking.store import TrackingError

if TYPE_CHECKING:
    from mlflow import MlflowClient

FREE_AXES = 2  # batch and time
FOLDER = "model"
CONTENT = "content"  # a version's tag: the md5 of its configuration and parameters
VERSION = "registered_model"  # a run's tag: NAME/VERSION


def register(client: "MlflowClient", run: str, trained: ModelEntry, folder: Path) -> None:
    """Register one member as the next version of its name, if the latest is another model.

    The run says by a tag which version is its model. ``trained.example`` is an input [batch, time,
    channel], each size at least 2 where it may vary. Raises TrackingError if the entry names no
    model or no example, ArtifactError for its file.
    """
    name, saved, example = trained.register_as, trained.model, trained.example
    if name is None or saved is None or example is None:
        raise TrackingError(
            f"{folder.name}/{FILE}: {trained.name} is to be registered and needs both "
            '"model" and "example"'
        )
    model = single_member(folder / saved.file, saved)
    content = content_md5(model)
    version = _latest(client, name, content)
    if version is None:
        _save(client, run, model, torch.tensor(example, dtype=next(model.parameters()).dtype))
        with suppress(MlflowException):  # it exists
            client.create_registered_model(name)
        source = f"{client.get_run(run).info.artifact_uri}/{FOLDER}"
        version = str(client.create_model_version(name, source, run, {CONTENT: content}).version)
    client.set_tag(run, VERSION, f"{name}/{version}")


def single_member(path: Path, saved: SavedMember) -> SingleMember:
    """Read one member of a file's models as an ordinary model; TrackingError if none is such."""
    models = saved_models.read_models(path, *_classes(path))
    name = saved.name or path.stem
    if name not in models or saved.member >= models[name].members:
        held = ", ".join(f"{name} ({model.members})" for name, model in models.items())
        raise TrackingError(
            f"{path.parent.name}/{FILE}: no member {saved.member} of {name!r} in {path.name}, "
            f"which holds (members): {held}"
        )
    return SingleMember(models[name].member(saved.member)).eval().requires_grad_(False)


def _classes(path: Path) -> list[type[MemberModule]]:
    """Import the classes that a file of models names; TrackingError if one is not of this package.

    Only this package's own models: a file must not choose what code runs.
    """
    classes = []
    for name in sorted(saved_models.class_paths(path)):
        module, _, kind = name.rpartition(".")
        known = None
        if module.startswith(("pipeline.core.", "pipeline.labs.")):
            with suppress(ImportError):
                known = getattr(import_module(module), kind, None)
        if not (isinstance(known, type) and issubclass(known, MemberModule)):
            raise TrackingError(
                f"{path.parent.name}/{path.name}: names no model of this project (class {name!r})"
            )
        classes.append(known)
    return classes


def content_md5(single: SingleMember) -> str:
    """Return the md5 of what a model is: its configuration, its parameters' names and bytes."""
    digest = hashlib.md5(single.model.config.model_dump_json().encode(), usedforsecurity=False)
    for name, tensor in single.model.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _latest(client: "MlflowClient", name: str, content: str) -> str | None:
    """Return the number of a name's latest version, if it is this model and will load.

    The run that made it may be deleted, or hidden since its writer was killed: ``mlflow gc`` takes
    such a run's files away.
    """
    versions = client.search_model_versions(
        f"name = '{name}'", max_results=1, order_by=["version_number DESC"]
    )
    if not versions or versions[0].tags.get(CONTENT) != content:
        return None
    run = versions[0].run_id or ""
    with suppress(MlflowException):  # its run is gone for good
        is_visible = client.get_run(run).info.lifecycle_stage == "active"
        if is_visible and client.list_artifacts(run, FOLDER):
            return str(versions[0].version)
    return None


def _save(client: "MlflowClient", run: str, model: SingleMember, example: torch.Tensor) -> None:
    """Save a model into a run's artifacts, as a graph that takes any batch and time."""
    with torch.no_grad():
        output = model(example)
    # MLflow's own modules warn of their own type hints when they are imported here.
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings(action="ignore"):
        mlflow.pytorch.save_model(
            model,
            Path(scratch) / FOLDER,
            serialization_format="pt2",
            signature=ModelSignature(Schema([_spec(example)]), Schema([_spec(output)])),
            input_example=example.numpy(),
            # Given, since MLflow would install and load the model to find them out.
            pip_requirements=[f"torch=={torch.__version__.partition('+')[0]}"],
        )
        client.log_artifacts(run, scratch)


def _spec(tensor: torch.Tensor) -> TensorSpec:
    shape = [-1] * min(FREE_AXES, tensor.ndim) + list(tensor.shape[FREE_AXES:])
    return TensorSpec(np.dtype(str(tensor.dtype).removeprefix("torch.")), tuple(shape))
