"""What the tutorial prints for exercise 3 (``ordered_results``): one run without a seed."""

from pipeline.labs.conjunction.data.task import TaskConfig

# (targets, model): (validation accuracy, validation loss)
RESULTS = {
    (2, "mlp"): (0.998, 0.049),
    (2, "attention"): (0.998, 0.005),
    (4, "mlp"): (0.950, 0.143),
    (4, "attention"): (0.992, 0.020),
}
POSITIONS = 17


def published(task: TaskConfig, model: str) -> tuple[float, float] | None:
    """Return the tutorial's (accuracy, loss), if this is the setting that it was printed for."""
    same_p = abs(task.probability - 0.5**0.5) < 1e-9
    if task.function != "sparse_and_query" or task.positions != POSITIONS or not same_p:
        return None
    return RESULTS.get((task.targets, model))
