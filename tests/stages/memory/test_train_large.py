import pandas as pd
import pytest

from pipeline.runtime.formats import artifacts
from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_large"


def test_switched_on_it_is_a_sweep(chain):
    assert_sweep(chain, STAGE, 8, {"uniform", "train"}, engine="part_batch")


def test_one_layer_of_as_many_heads_has_the_same_parameters(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv").drop_duplicates("model")
    counts = table.set_index("model").parameters
    assert counts["d3_h1_l3"] == counts["d3_h3"]


@pytest.fixture
def switched_off(chain, tmp_path, monkeypatch):
    params = chain.params(STAGE)
    off = params.model_copy(update={"large": params.large.model_copy(update={"run": False})})
    monkeypatch.setattr(chain, "params", lambda stage: off)
    return chain.run(STAGE, chain.copied_inputs(STAGE, tmp_path / "data"), tmp_path / "out")


def test_switched_off_it_writes_an_empty_table_of_the_same_columns(chain, switched_off):
    full = pd.read_csv(chain.made(STAGE) / "table.csv")
    assert list(pd.read_csv(switched_off / "table.csv")) == list(full)
    assert len(pd.read_csv(switched_off / "table.csv")) == 0
    assert artifacts.read_json(switched_off / "models.json") == []


def test_switched_off_it_writes_all_its_files(chain, switched_off):
    assert {path.name for path in switched_off.iterdir()} == chain.declared(STAGE)
