"""``models.json``: the models that a stage trained, as its writer and its readers know them.

Every entry becomes a child run of the stage's run in the tracking store::

    {"name": "O5.causal_8l_16_8.seed_0",
     "params": {"n_layers": 8}, "metrics": {"loss": 0.01},
     "history": {"file": "history.csv", "where": {"model": "causal_8l_16_8", "seed": 0}},
     "model": {"file": "models.safetensors", "name": "causal_8l_16_8", "member": 0},
     "register": "oscillator_nla", "example": [[[0.0, 1.0]]]}

No torch here, whose import costs a second: tracking reads the list without it.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipeline.one_line import shortened, shown
from pipeline.runtime.files import MOST_TEXT, ArtifactError, plain_name, reading
from pipeline.runtime.formats import strict_json

FILE = "models.json"
NAME = r"\w[\w. -]{0,249}"  # of a registered model


def _registered(name: str | None) -> str | None:
    """Return a model's registered name, which stands in addresses and in searches."""
    if name is not None and not re.fullmatch(NAME, name):
        raise ValueError(f"must be letters, digits, spaces and . _ -, got {shown(name)}")
    return name


FileName = Annotated[str, AfterValidator(plain_name)]
RegisteredName = Annotated[str | None, AfterValidator(_registered)]


class Part(BaseModel):
    """A part of models.json: no unknown keys, no converted types."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, protected_namespaces=(), populate_by_name=True
    )


class HistoryRows(Part):
    """The rows of a table that are one model's history: its columns equal ``where`` there.

    The curves are all columns but ``step``, ``model`` and ``seed``.
    """

    file: FileName
    where: dict[str, str | int | float]


class SavedMember(Part):
    """One member of a model in a file of ``saved_models.write_models``; no name: the file's."""

    file: FileName
    name: str | None = None
    member: int = Field(ge=0)


class ModelEntry(Part):
    """One trained model, or all seeds of one configuration.

    ``metrics`` are final values, null where one is not finite. ``register_as`` (in the file:
    ``register``) is the name under which the saved member can be loaded from the tracking store,
    with ``example`` as its input, nested lists [batch, time, channel].
    """

    name: str
    params: dict[str, Any]
    metrics: dict[str, int | float | None]
    history: HistoryRows | None = None
    model: SavedMember | None = None
    register_as: RegisteredName = Field(alias="register", default=None)
    example: list[Any] | None = None

    @property
    def experiment(self) -> str:
        """Return the id that the name begins with: O5."""
        return self.name.partition(".")[0]


def content(entries: Sequence[ModelEntry]) -> list[dict[str, Any]]:
    """Return the entries as JSON's objects; an example is named only where there is one."""
    described = [entry.model_dump(by_alias=True) for entry in entries]
    return [{k: v for k, v in one.items() if k != "example" or v is not None} for one in described]


def read(path: Path) -> list[ModelEntry]:
    """Read a list of models; ArtifactError names the first entry that is not as above."""
    with reading(path, MOST_TEXT):
        text = path.read_text(encoding="utf-8")
        strict_json.parse(text)  # a key twice, NaN
    try:
        return TypeAdapter(list[ModelEntry]).validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = shortened(".".join(str(part) for part in fault["loc"])) or "the file"
        raise ArtifactError(path, f"entry {where}: {fault['msg']}") from error
