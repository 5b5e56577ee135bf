import pandas as pd
import pytest

from pipeline.figures.energy.learning import learning
from pipeline.labs.energy.train.recall import LossConfig

LOSSES = {
    "task": LossConfig(task=1.0, alignment=0.0),
    "both": LossConfig(task=1.0, alignment=0.1),
}
SEEDS, STEPS = (0, 1, 4), (0, 10, 20)


def history():
    rows = [
        {"model": model, "seed": seed, "step": step, "loss": 1.0, "validation_loss": 1.0,
         "validation_accuracy": step / 50 + seed / 100 + k / 10, "alignment": -step / 100 + k / 10}
        for k, model in enumerate(LOSSES)
        for seed in SEEDS
        for step in STEPS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_every_seed_of_every_loss_is_a_line_in_both_panels(style, assert_labelled):
    figure = learning(style, history(), LOSSES)
    accuracy, alignment = figure.axes
    lines = iter(zip(accuracy.lines, alignment.lines, strict=True))
    for k in range(len(LOSSES)):
        for seed in SEEDS:
            first, second = next(lines)
            assert first.get_xdata().tolist() == list(STEPS)
            assert first.get_ydata().tolist() == pytest.approx(
                [step / 50 + seed / 100 + k / 10 for step in STEPS]
            )
            assert second.get_ydata().tolist() == pytest.approx(
                [-step / 100 + k / 10 for step in STEPS]
            )
    assert next(lines, None) is None
    assert_labelled(figure)


def test_losses_are_named_by_their_weights_once_and_the_seeds_counted(style):
    figure = learning(style, history(), LOSSES)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["loss: task alone", "loss: task + 0.1 alignment"]
    assert "each of 3 seeds" in figure.get_suptitle()


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: learning(style, history(), LOSSES))
