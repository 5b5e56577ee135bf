import json

import pandas as pd
import pytest
import torch

from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.training.ensemble import History
from pipeline.core.training.sampling import generators
from pipeline.runtime.formats import artifacts, model_list, saved_models
from pipeline.runtime.training_record import Trained, entry, history_table, write

CONFIG = LinearWindowConfig(window=3, d_in=2, d_out=2)


def model(seeds):
    return LinearWindow(CONFIG, generators(seeds)).double()


def history(*columns):
    """Return a history of two records whose loss is the given number, a column a member."""
    loss = torch.tensor([columns, [value / 2 for value in columns]], dtype=torch.float64)
    return History([10, 20], {"loss": loss, "validation_loss": 3 * loss})


def item(**changes):
    settings = {
        "experiment": "O3",
        "name": "gamma_0",
        "seeds": [4, 7],
        "model": model([4, 7]),
        "history": history(1.0, 2.0),
        "params": {"d_model": 2},
    }
    return Trained(**{**settings, **changes})


def test_loss_curves_are_written_in_long_form():
    expected = pd.DataFrame(
        [
            ("gamma_0", 4, 10, 1.0, 3.0),
            ("gamma_0", 4, 20, 0.5, 1.5),
            ("gamma_0", 7, 10, 2.0, 6.0),
            ("gamma_0", 7, 20, 1.0, 3.0),
        ],
        columns=["model", "seed", "step", "loss", "validation_loss"],
    )
    pd.testing.assert_frame_equal(history_table(item()), expected)


def test_a_member_is_described_with_its_final_values():
    described = entry(item(metrics={"r2": torch.tensor([0.5, 0.25])}), 1)
    assert model_list.content([described]) == [
        {
            "name": "O3.gamma_0.seed_7",
            "params": {"d_model": 2, "seed": 7, "parameters": (3 * 2 + 1) * 2},
            "metrics": {"r2": 0.25, "loss": 1.0, "validation_loss": 3.0},
            "history": {"file": "history.csv", "where": {"model": "gamma_0", "seed": 7}},
            "model": {"file": "models.safetensors", "name": "gamma_0", "member": 1},
            "register": None,
        }
    ]
    assert described.experiment == "O3"


def test_the_first_seed_alone_is_registered_with_its_example():
    registered = item(register="best", example=torch.ones(1, 3, 2))
    first, second = (entry(registered, k) for k in range(2))
    assert first.register_as == "best"
    assert first.example == [[[1.0, 1.0]] * 3]
    assert second.register_as is None
    assert second.example is None


def test_what_is_written_is_read_back(tmp_path):
    items = [item(), item(name="exact", seeds=[0], model=model([0]), history=None, params={})]
    write(tmp_path, items)
    models = saved_models.read_models(tmp_path / "models.safetensors", LinearWindow)
    assert list(models) == ["gamma_0", "exact"]
    for name, value in model([4, 7]).state_dict().items():
        assert torch.equal(models["gamma_0"].state_dict()[name], value)
    table = artifacts.read_csv(tmp_path / "history.csv", ["model", "seed", "step"])
    pd.testing.assert_frame_equal(table, history_table(items[0]))
    described = model_list.read(tmp_path / "models.json")
    assert described == [entry(items[0], 0), entry(items[0], 1), entry(items[1], 0)]
    assert [each.name for each in described] == [
        "O3.gamma_0.seed_4",
        "O3.gamma_0.seed_7",
        "O3.exact.seed_0",
    ]
    assert described[2].history is None
    assert described[2].metrics == {}


def test_without_a_loss_curve_there_is_no_history_file(tmp_path):
    write(tmp_path, [item(history=None)])
    assert {path.name for path in tmp_path.iterdir()} == {"models.safetensors", "models.json"}


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        write(tmp_path / folder, [item(register="best", example=torch.ones(1, 3, 2))])
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["history.csv", "models.json", "models.safetensors"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_is_null_and_an_empty_cell(tmp_path, value):
    write(tmp_path, [item(history=history(value, 1.0))])
    described = model_list.read(tmp_path / "models.json")
    assert described[0].metrics["loss"] is None
    assert "inf" not in (tmp_path / "history.csv").read_text()
    assert "nan" not in (tmp_path / "history.csv").read_text()


def test_descriptions_are_plain_json():
    (described,) = model_list.content(
        [entry(item(register="best", example=torch.ones(1, 3, 2).double()), 0)]
    )
    assert json.loads(json.dumps(described)) == described
