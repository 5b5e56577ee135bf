import shutil
from pathlib import Path

import pytest
import torch

from pipeline.core.nn.single import SingleMember
from pipeline.tracking import store
from pipeline.tracking.record import record
from pipeline.tracking.registry import content_md5
from pipeline.tracking.store import TrackingError
from tracking.stage_files import TIMING, client_of, ensemble, names, runs_of, write_stage


def test_a_registered_model_loads_by_name_and_computes_as_its_member(root):
    import mlflow

    record(root, write_stage(root, register="tiny_model"))
    moved = Path(shutil.move(root, root.with_name("moved")))
    mlflow.set_tracking_uri(store.address(moved))
    try:
        loaded = mlflow.pytorch.load_model("models:/tiny_model/1")
    finally:
        mlflow.set_tracking_uri(None)
    # Sizes of batch and time that the example did not have.
    x = torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(5))
    expected = ensemble().member(1)(x[None])[0]
    # Export may order float32 sums otherwise: some units in the last place of values near 1.
    torch.testing.assert_close(loaded(x), expected.detach(), rtol=0, atol=1e-6)
    assert not list((moved / "mlartifacts").rglob("*.pth")), "nothing is pickled"


def test_what_cannot_be_registered_is_named(root):
    entry = {"name": "O5.a", "params": {}, "metrics": {}, "register": "a"}
    with pytest.raises(TrackingError, match=r"train/models.json: O5.a is to be reg.*both"):
        record(root, write_stage(root, entries=[entry]))
    entry |= {"model": {"file": "models.safetensors", "name": "tiny", "member": 2}}
    entry |= {"example": [[[0.0, 0.0]]]}
    with pytest.raises(TrackingError, match=r"no member 2 of 'tiny'.*tiny \(2\)"):
        record(root, write_stage(root, entries=[entry]))
    assert runs_of(root) == {}


def versions_of(root):
    client, _ = client_of(root)
    versions = client.search_model_versions("name = 'tiny_model'")
    return {int(version.version): version for version in versions}


def test_the_same_model_again_is_no_new_version(root):
    record(root, write_stage(root, register="tiny_model"), TIMING)
    record(root, write_stage(root, register="tiny_model"), TIMING)
    versions = versions_of(root)
    assert list(versions) == [1]
    client, _ = client_of(root)
    assert [run.data.tags["registered_model"] for run in all_of(root, "O5.tiny.seed_1")] == [
        "tiny_model/1"
    ] * 2
    saved = [names(client, run) for run in all_of(root, "O5.tiny.seed_1")]
    assert sorted(saved) == [[], ["model"]]


def test_another_model_is_the_next_version(root):
    record(root, write_stage(root, register="tiny_model"), TIMING)
    record(root, write_stage(root, register="tiny_model", first=5), TIMING)
    # Back to the first: the latest is another, so that it is the third.
    record(root, write_stage(root, register="tiny_model"), TIMING)
    contents = {number: version.tags["content"] for number, version in versions_of(root).items()}
    assert sorted(contents) == [1, 2, 3]
    assert contents[1] == contents[3] != contents[2]


def test_a_version_that_is_deleted_or_renamed_is_made_anew(root):
    record(root, write_stage(root, register="tiny_model"), TIMING)
    client, _ = client_of(root)
    client.delete_model_version("tiny_model", "1")
    record(root, write_stage(root, register="tiny_model"), TIMING)
    assert list(versions_of(root)) == [2]
    client.rename_registered_model("tiny_model", "theirs")
    record(root, write_stage(root, register="tiny_model"), TIMING)
    assert list(versions_of(root)) == [1]
    client.delete_registered_model("tiny_model")
    record(root, write_stage(root, register="tiny_model"), TIMING)
    assert list(versions_of(root)) == [1]


def test_a_version_whose_files_are_gone_is_made_anew(root):
    record(root, write_stage(root, register="tiny_model"), TIMING)
    shutil.rmtree(root / "mlartifacts")
    record(root, write_stage(root, register="tiny_model"), TIMING)
    assert sorted(versions_of(root)) == [1, 2]
    latest = versions_of(root)[2].run_id
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(store.address(root), store.ARTIFACTS)._hard_delete_run(latest)
    record(root, write_stage(root, register="tiny_model"), TIMING)
    assert sorted(versions_of(root)) == [1, 2, 3]


def test_a_version_of_a_hidden_run_is_made_anew(root):
    record(root, write_stage(root, register="tiny_model"), TIMING)
    client, _ = client_of(root)
    client.delete_run(versions_of(root)[1].run_id)  # as the user does, or track for a killed writer
    record(root, write_stage(root, register="tiny_model"), TIMING)
    assert sorted(versions_of(root)) == [1, 2]


def test_a_model_is_its_configuration_and_its_parameters():
    model = SingleMember(ensemble().member(0))
    again, other = SingleMember(ensemble().member(0)), SingleMember(ensemble().member(1))
    assert content_md5(model) == content_md5(again) != content_md5(other)
    again.model.config = again.model.config.model_copy(update={"causal": False})
    assert content_md5(model) != content_md5(again)


def all_of(root, name):
    client, experiment = client_of(root)
    return client.search_runs([experiment], f"attributes.run_name = '{name}'")
