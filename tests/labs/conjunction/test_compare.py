import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction import compare
from pipeline.labs.conjunction.datasets import draw_data
from pipeline.labs.conjunction.models import Linear, LinearConfig
from pipeline.labs.conjunction.published import published
from pipeline.labs.conjunction.task import TaskConfig, label

TASK = TaskConfig(
    form="query", positions=17, targets=2, p=None, tolerance=None, identified=False, tries=1
)


def linear(members, bias=0.0):
    model = Linear(LinearConfig(positions=17), generators(range(members))).double()
    with torch.no_grad():
        model.b.fill_(bias)
    return model


def test_a_model_that_always_says_one_is_right_as_often_as_the_label_is_one():
    data = draw_data(TASK, 5, 400, [0, 1])
    share = label(data.valid, data.targets).mean(1)
    found = compare.scores(linear(2, 3.0), data)
    assert found["accuracy"].tolist() == share.tolist()
    # Cross entropy of a constant logit of 3, in closed form.
    expected = torch.nn.functional.softplus(torch.tensor(-3.0).double()) + 3 * (1 - share)
    assert found["loss"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_the_tables_hold_every_task_and_model_and_their_pairs():
    data = {"a": draw_data(TASK, 5, 50, range(4)), "b": draw_data(TASK, 5, 50, range(4))}
    models = {"attention": {n: linear(4, 1.0) for n in data}, "mlp": {n: linear(4) for n in data}}
    metrics, found = compare.tables(data, models)
    assert set(metrics) == {f"{t}_{m}" for t in "ab" for m in ("attention", "mlp", "paired")}
    assert metrics["a_mlp"]["parameters"] == 18
    values = found["a"]["mlp"]["accuracy"]
    assert metrics["a_mlp"]["accuracy_min"] == float(values.min())
    assert metrics["a_mlp"]["accuracy_max"] == float(values.max())
    assert metrics["a_paired"]["n"] == 4


def test_a_pair_counts_who_is_better():
    first = {"accuracy": torch.tensor([1.0, 0.9, 0.8]).double()}
    second = {"accuracy": torch.tensor([0.9, 0.9, 0.9]).double()}
    found = compare.paired(first, second)
    assert (found["first_better"], found["second_better"], found["n"]) == (1, 1, 3)
    assert found["p_accuracy"] == 1.0
    assert found["accuracy_difference"] == 0.0


def test_what_the_tutorial_printed_stands_beside_its_own_setting_only():
    assert published(TASK, "mlp") == (0.998, 0.049)
    four = TASK.model_copy(update={"targets": 4})
    assert published(four, "attention") is None  # balanced: another p than the tutorial's
    assert published(four.model_copy(update={"p": 0.5**0.5}), "attention") == (0.992, 0.020)
    assert published(TASK.model_copy(update={"positions": 11}), "mlp") is None
    assert published(TASK, "head") is None
