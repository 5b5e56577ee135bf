import pandas as pd
import pytest

from labs.memory.report.test_points import rows
from pipeline.labs.memory.report import endings


def test_memories_of_equal_parameters_are_paired():
    def both(d, H, attention, mlp):
        return rows("P5", attention, d=d, d_head=d, n_heads=H) + rows(
            "P5", mlp, d=d, d_head=d, n_heads=1, mlp_width=2 * d * (H - 1)
        )

    own = [
        *both(7, 6, [0.2, 0.3], [0.5, 0.4]),
        *both(7, 11, [0.4, 0.5], [0.5, 0.8]),
        *both(10, 6, [0.6, 0.7], [0.8, 0.9]),
        # One module has no MLP to stand for; a width without its attention has no partner.
        *rows("P5", [0.0, 0.0], d=7, d_head=7, n_heads=1),
        *rows("P5", [1.0, 1.0], d=7, d_head=7, n_heads=1, mlp_width=999),
        *rows("P5", [1.0, 1.0], "train", d=7, d_head=7, n_heads=6),
    ]
    metrics = endings.mlp_advantage(pd.DataFrame(own), "P5")
    means = {"attention": [0.4, 0.5], "mlp": [0.6, 0.7], "mlp_advantage": [0.2, 0.2]}
    for name, (low, high) in means.items():
        assert metrics[f"{name}_low"] == pytest.approx(low)
        assert metrics[f"{name}_high"] == pytest.approx(high)
    assert metrics["n"] == 2
    # At (7, 6) and (10, 6) both seeds' MLP is ahead; at (7, 11) of both, by 0.1 and 0.3.
    assert (metrics["points"], metrics["mlp_ahead"], metrics["attention_ahead"]) == (3, 3, 0)
    assert endings.mlp_advantage(pd.DataFrame(rows("P5", [0.5])), "P5") == {}


def test_a_model_is_at_its_end_if_a_quarter_of_the_steps_holds_as_much():
    runs = pd.DataFrame(
        [
            *rows("P6", [0.50, 0.60], n_heads=1),
            *rows("P6_quarter", [0.48, 0.58], n_heads=1),
            *rows("P6", [0.90, 0.90], n_heads=2),
            *rows("P6_quarter", [0.80, 0.70], n_heads=2),
            *rows("P6_quarter", [0.0, 0.0], "train", n_heads=1),
        ]
    )
    metrics = endings.endings(runs, "P6")
    assert (metrics["at_the_end"], metrics["models"]) == (1, 2)
    # The mean over the models of each seed is 0.06 and 0.11.
    assert metrics["gained"] == pytest.approx(0.085)
    assert (metrics["gained_low"], metrics["gained_high"]) == pytest.approx((0.06, 0.11))
    assert metrics["most_gained"] == pytest.approx(0.15)
    assert metrics["most_lost"] == pytest.approx(-0.02)


def test_a_loss_of_accuracy_is_no_end_either():
    runs = pd.DataFrame([*rows("P6", [0.4]), *rows("P6_quarter", [0.5])])
    assert endings.endings(runs, "P6")["at_the_end"] == 0


def test_a_sweep_that_was_trained_once_has_no_verdict():
    assert endings.endings(pd.DataFrame(rows("P6", [0.5])), "P6") == {}


def test_layers_stand_beside_one_layer_of_all_their_heads():
    runs = pd.DataFrame(
        [
            *rows("P7", [0.5, 0.4, 0.6], n_heads=2, n_layers=3),
            *rows("P7", [0.4, 0.5, 0.4], n_heads=6),
            *rows("P7", [0.0, 0.0, 0.0], n_heads=2),
        ]
    )
    metrics = endings.depth_advantage(runs, "P7")
    of_model, over_all = metrics.pop("depth_10_10_2_0_3"), metrics.pop("all")
    assert metrics == {}
    assert of_model == over_all
    assert of_model["depth_advantage"] == pytest.approx(0.1)
    assert of_model["depth_advantage_low"] == pytest.approx(-0.1)
    assert endings.depth_advantage(runs[runs.n_layers == 1], "P7") == {}
