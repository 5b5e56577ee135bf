import shutil
from pathlib import Path

import pytest
import torch
from stage_files import ensemble, runs_of, write_stage

from pipeline import tracking
from pipeline.tracking import store as tracking_store


def test_a_registered_model_loads_by_name_and_computes_as_its_member(root):
    import mlflow

    tracking.record(root, write_stage(root, register="tiny_model"))
    moved = Path(shutil.move(root, root.with_name("moved")))
    mlflow.set_tracking_uri(tracking_store.address(moved))
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
    with pytest.raises(tracking.TrackingError, match=r"train/models.json: O5.a is to be reg.*both"):
        tracking.record(root, write_stage(root, entries=[entry]))
    entry |= {"model": {"file": "models.safetensors", "name": "tiny", "member": 2}}
    entry |= {"example": [[[0.0, 0.0]]]}
    with pytest.raises(tracking.TrackingError, match=r"no member 2 of 'tiny'.*tiny \(2\)"):
        tracking.record(root, write_stage(root, entries=[entry]))
    assert runs_of(root) == {}
