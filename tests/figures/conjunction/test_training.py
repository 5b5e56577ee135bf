import pandas as pd

from pipeline.figures.conjunction.training import training


def history(models):
    rows = [(m, s, t, 1.0 / (1 + t + s)) for m in models for s in (3, 5) for t in (0, 10)]
    table = pd.DataFrame(rows, columns=["model", "seed", "step", "loss"])
    return table.assign(accuracy=0.5, validation_loss=2 * table.loss, validation_accuracy=0.5)


def test_models_are_named_by_their_task_or_in_words(style, task):
    tasks = {"s2": task, "s1": task.model_copy(update={"targets": 1})}
    histories = {"C4 MLP": history(["s2_mlp", "s1_mlp"]), "C7": history(["cls_head", "mine_too"])}
    figure = training(style, histories, tasks)
    labels = [figure.axes[k].get_legend_handles_labels()[1] for k in (0, 2)]
    assert labels == [
        ["AND of 2 of 5 bits (rule bit), balanced", "AND of 1 of 5 bits (rule bit), balanced"],
        ["one query (CLS)", "mine too"],
    ]


def test_there_is_a_line_for_each_seed_of_each_model(style, task):
    histories = {"C4 MLP": history(["s2_mlp", "s1_mlp"])}
    figure = training(style, histories, {"s2": task})
    left, right = figure.axes
    assert [line.get_ydata().tolist() for line in left.lines][:2] == [
        [1.0 / 4, 1.0 / 14],
        [1 / 6, 1 / 16],
    ]
    assert right.lines[0].get_ydata().tolist() == [2.0 / 4, 2.0 / 14]
    assert (len(left.lines), len(right.lines)) == (4, 4)
    assert left.get_title(loc="left") == "C4 MLP: training loss"
