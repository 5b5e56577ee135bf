"""artifact_repository: no address of an artifact leads out of the store's folder."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

PARTS = st.sampled_from(["..", ".", "a", "~", "", "%2e%2e", "..%2f..", "mlartifacts", "C:", "\\.."])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store").resolve()


@pytest.mark.filterwarnings("ignore")  # of MLflow's own import
@given(
    parts=st.lists(PARTS | st.text(max_size=5), max_size=6),
    scheme=st.sampled_from(["lab:", "lab:/", "lab://", "lab:////"]),
    encode=st.booleans(),
)
def test_any_address_leads_into_the_folder_or_is_refused(
    folder: Path, parts: list[str], scheme: str, encode: bool
) -> None:
    from mlflow.exceptions import MlflowException

    from pipeline.tracking.artifact_repository import LabArtifactRepository

    path = "/".join(parts)
    try:
        repository = LabArtifactRepository(
            scheme + (quote(path, errors="replace") if encode else path),
            f"sqlite:///{folder}/mlflow.db",
        )
    except MlflowException:
        return
    assert Path(repository.artifact_dir).resolve().is_relative_to(folder)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "uri",
    ["lab:/../x", "lab:/%2e%2e/x", "lab:/a/../../x", "lab:/a%00b", "lab://[x/a"],
)
def test_an_address_that_leads_elsewhere_is_refused(folder: Path, uri: str) -> None:
    from mlflow.exceptions import MlflowException

    from pipeline.tracking.artifact_repository import LabArtifactRepository

    with pytest.raises(MlflowException, match=r"leads out of the repository|is no path") as refused:
        LabArtifactRepository(uri, f"sqlite:///{folder}/mlflow.db")
    assert "\n" not in str(refused.value)
