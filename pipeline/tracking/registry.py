"""A trained model in MLflow's registry: ``mlflow.pytorch.load_model("models:/NAME/VERSION")``.

The model is saved as an exported graph ("pt2"): no pickle, and loading it needs torch and
MLflow, not this package. Batch and time stay free; the example gives the other axes.
"""

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
from pipeline.runtime import saved_models
from pipeline.tracking.runs import SavedMember, TrainedModel
from pipeline.tracking.store import TrackingError

if TYPE_CHECKING:
    from mlflow import MlflowClient

FREE_AXES = 2  # batch and time
FOLDER = "model"


def register(client: "MlflowClient", run: str, trained: TrainedModel, folder: Path) -> None:
    """Save one member into the run and register it as the next version of its name.

    ``trained.example`` is an input [batch, time, channel], each size at least 2 where it may vary.
    Raises TrackingError if the entry names no model or no example, ArtifactError for its file.
    """
    if trained.model is None or trained.example is None or trained.register_as is None:
        raise TrackingError(
            f"{folder.name}/models.json: {trained.name} is to be registered and needs both "
            '"model" and "example"'
        )
    model = single(folder / trained.model.file, trained.model)
    example = torch.tensor(trained.example, dtype=next(model.parameters()).dtype)
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
    with suppress(MlflowException):  # it exists
        client.create_registered_model(trained.register_as)
    source = f"{client.get_run(run).info.artifact_uri}/{FOLDER}"
    client.create_model_version(trained.register_as, source, run)


def single(path: Path, saved: SavedMember) -> SingleMember:
    """Read one member of a file's models as an ordinary model; TrackingError if none is such."""
    models = saved_models.read_models(path, *_classes(path))
    name = saved.name or path.stem
    if name not in models or saved.member >= models[name].members:
        held = ", ".join(f"{name} ({model.members})" for name, model in models.items())
        raise TrackingError(
            f"{path.parent.name}/models.json: no member {saved.member} of {name!r} in {path.name}, "
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


def _spec(tensor: torch.Tensor) -> TensorSpec:
    shape = [-1] * min(FREE_AXES, tensor.ndim) + list(tensor.shape[FREE_AXES:])
    return TensorSpec(np.dtype(str(tensor.dtype).removeprefix("torch.")), tuple(shape))
