import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.measure.scores import scores
from pipeline.labs.conjunction.models.linear import Linear, LinearConfig

TASK = TaskConfig(
    function="sparse_and_query", positions=17, targets=2, p=None, tolerance=None,
    identifiable=False, max_draws=1,
)  # fmt: skip


def test_a_model_that_always_says_one_is_right_as_often_as_the_label_is_one():
    data = draw_data(TASK, 5, 400, [0, 1])
    share = label(data.valid, data.targets).mean(1)
    model = Linear(LinearConfig(positions=17), generators([0, 1])).double()
    with torch.no_grad():
        model.b.fill_(3.0)
    by_name = scores(model, data)
    assert by_name["accuracy"].tolist() == share.tolist()
    # Cross entropy of a constant logit of 3, in closed form.
    expected = torch.nn.functional.softplus(torch.tensor(-3.0).double()) + 3 * (1 - share)
    assert by_name["loss"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)
