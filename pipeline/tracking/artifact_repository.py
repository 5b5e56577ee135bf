"""MLflow's artifacts under the ``lab:`` scheme: paths relative to the folder of the store.

MLflow itself would write absolute paths into its store, and a checkout that is moved would silently
show no artifacts. ``lab:/mlartifacts/...`` means that path beside ``mlflow.db``, wherever both are.
MLflow finds this class by the package's entry point ``mlflow.artifact_repository``.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

SQLITE = "sqlite:///"


def store_folder(tracking_uri: str | None) -> Path:
    """Return the folder of a sqlite store; for any other store the root of this package."""
    # MLflow imports this file in the midst of its own import, when it has no such names yet.
    from mlflow import get_tracking_uri, is_tracking_uri_set

    uri = tracking_uri or (get_tracking_uri() if is_tracking_uri_set() else "")
    if uri.startswith(SQLITE):
        # The folder where the file's name is: the file may be a link to another disk.
        return Path(uri.removeprefix(SQLITE).partition("?")[0]).parent.resolve()
    return Path(__file__).resolve().parents[2]


class LabArtifactRepository(LocalArtifactRepository):
    """Artifacts in a folder of this repository."""

    def __init__(
        self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
    ):
        """Resolve ``lab:/path``; MlflowException if it leads out of the repository."""
        root = store_folder(tracking_uri)
        try:
            path = unquote(urlsplit(artifact_uri).path).lstrip("/")
        except ValueError:  # a host with half a bracket
            path = "\0"
        if "\0" in path:
            raise MlflowException.invalid_parameter_value(f"{artifact_uri!r} is no path")
        # By its name: the folder of artifacts may be a link to another disk.
        folder = Path(os.path.normpath(root / path))
        if not folder.is_relative_to(root):
            raise MlflowException.invalid_parameter_value(
                f"{artifact_uri} leads out of the repository"
            )
        super().__init__(folder.as_uri(), tracking_uri, registry_uri)
