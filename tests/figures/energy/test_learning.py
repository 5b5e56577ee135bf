import pandas as pd
import pytest

from pipeline.figures.energy.learning import ROWS, families, learning
from pipeline.labs.energy.train.recall import LossConfig

LOSSES = {
    "task": LossConfig(task=1.0, alignment=0.0, energy=0.0),
    "both": LossConfig(task=1.0, alignment=0.1, energy=0.0),
    "sum": LossConfig(task=1.0, alignment=0.0, energy=0.5),
}
MODELS = (*LOSSES, "heads_1", "heads_4")
SEEDS, STEPS = (0, 1, 4), (0, 10, 20)


def history():
    rows = [
        {"model": model, "seed": seed, "step": step, "loss": 1.0, "validation_loss": 1.0,
         "validation_accuracy": step / 50 + seed / 100 + k / 10, "match": step / 40,
         "alignment": -step / 100 + k / 10, "other_alignment": 0.1}
        for k, model in enumerate(MODELS)
        for seed in SEEDS
        for step in STEPS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(style):
    return learning(style, history(), LOSSES, n_heads=2)


def test_models_stand_by_what_was_changed_beside_the_task_alone(style):
    assert families(history(), LOSSES) == {
        "cosine with descent in the loss": ["both"], "energy in the loss": ["sum"],
        "numbers of heads": ["heads_1", "heads_4"],
    }  # fmt: skip
    panels = drawn(style).axes
    assert len(panels) == 3 * len(ROWS)
    counts = [len(axes.lines) for axes in panels[:3]]
    assert counts == [6, 6, 9]  # a line a seed, the task's among them


def test_every_seed_is_a_line_of_its_own_numbers(style):
    panels = drawn(style).axes
    first = panels[0].lines[0]
    assert first.get_xdata().tolist() == list(STEPS)
    assert first.get_ydata().tolist() == pytest.approx([s / 50 + 0.1 for s in STEPS])
    excess = panels[6].lines[0]
    assert excess.get_ydata().tolist() == pytest.approx([-s / 100 + 0.1 - 0.1 for s in STEPS])


def test_models_are_named_in_words_once_and_the_seeds_counted(style):
    figure = drawn(style)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [
        "loss: task + 0.1 cosine", "task alone, 2 heads", "loss: task + 0.5 energy",
        "task alone, 1 head", "task alone, 4 heads",
    ]  # fmt: skip
    assert "each of 3 seeds" in figure.get_suptitle()


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: drawn(style))
