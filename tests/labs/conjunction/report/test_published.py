from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.report.published import published

TASK = TaskConfig(
    function="sparse_and_query", positions=17, targets=2, p=None, tolerance=None,
    identifiable=False, max_draws=1,
)  # fmt: skip


def test_what_the_tutorial_printed_stands_beside_its_own_setting_only():
    assert published(TASK, "mlp") == (0.998, 0.049)
    four = TASK.model_copy(update={"targets": 4})
    assert published(four, "attention") is None  # balanced: another p than the tutorial's
    assert published(four.model_copy(update={"p": 0.5**0.5}), "attention") == (0.992, 0.020)
    assert published(TASK.model_copy(update={"positions": 11}), "mlp") is None
    assert published(TASK.model_copy(update={"function": "sparse_and"}), "mlp") is None
    assert published(TASK, "cls_head") is None
