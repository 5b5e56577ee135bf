"""Learning curves of C4's and C7's models."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.conjunction.names import MODELS, tasks_words, words
from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.style import StyleConfig
from pipeline.labs.conjunction.data.task import TaskConfig


def training(
    config: StyleConfig, histories: Mapping[str, pd.DataFrame], tasks: Mapping[str, TaskConfig]
) -> Figure:
    """Draw the curves of each history, a table of HistoryRow.

    A model named TASK_MODEL is shown by its task.
    """
    labels = {
        f"{task}_{model}": label for task, label in tasks_words(tasks).items() for model in MODELS
    }
    labels |= MODELS
    return learning_curves(
        config,
        {
            title: history.assign(model=[words(labels, name) for name in history.model])
            for title, history in histories.items()
        },
        "Learning curves, a line for each seed",
        (("loss", "training loss"), ("validation_loss", "validation loss")),
        "cross entropy (nats)",
    )
