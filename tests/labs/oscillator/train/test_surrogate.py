import pandas as pd
import pytest
import torch

from pipeline.core.nn.linear import fit_linear_window
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.measure.errors import rollout_error
from pipeline.labs.oscillator.measure.quantities import MeasureConfig, surrogate_quantities
from pipeline.labs.oscillator.measure.rollout import predict_rollouts
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.labs.oscillator.train.surrogate import (
    CHUNK,
    SurrogateConfig,
    best_model,
    fit_surrogate,
    outputs,
)

CUTOFFS = (1e-14, 1e-6, 1e-2)
MEASURE = MeasureConfig(rollout_steps=(10,), prediction_threshold=0.1)


def windows(count, seed):
    return torch.randn(count, 5, 2, generator=torch.Generator().manual_seed(seed)).double()


def config(cutoffs=CUTOFFS, steps=30):
    return SurrogateConfig(cutoffs=cutoffs, windows=8, steps=steps)


def linear_model():
    """Return two members that are stable linear laws of the last two states."""
    x = windows(100, 0)
    turn = torch.tensor([[0.98, 0.19], [-0.19, 0.98]], dtype=torch.float64)
    laws = [x[:, -1] @ turn, 0.9 * x[:, -1] @ turn + 0.05 * x[:, -2] + 0.1]
    return fit_linear_window(x, torch.stack(laws))


def softmax_model():
    shape = ShapeConfig(d_model=4, d_head=2, n_layers=2, causal=True).transformer
    model = Transformer(shape, generators([0, 1])).double()
    with torch.no_grad():
        for layer in model.layers:
            for weight in layer.parameters():
                weight.mul_(3)  # far from linear
    return model


def test_a_linear_model_is_its_own_surrogate():
    model, train, valid = linear_model(), windows(200, 1), windows(20, 2)
    surrogate, _ = fit_surrogate(model, train, valid, config())
    ours, theirs = (predict_rollouts(m, valid, 30) for m in (surrogate, model))
    found = surrogate_quantities(ours, theirs, valid[:, -1], MEASURE)
    # 1 - R^2 is a squared error: far below one rounding of one.
    assert found["r2_score"].tolist() == [1.0, 1.0]
    assert found["r2_score_increment"].tolist() == [1.0, 1.0]
    assert found["valid_imitation_time"].tolist() == [30.0, 30.0]
    # Ten well-conditioned features: eps x condition^2 (below 4) x samples^(1/2), 30 stable steps.
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)


def test_a_softmax_model_is_not_linear():
    model, train, valid = softmax_model(), windows(200, 1), windows(20, 2)
    surrogate, _ = fit_surrogate(model, train, valid, config())
    ours, theirs = (predict_rollouts(m, valid, 30) for m in (surrogate, model))
    found = surrogate_quantities(ours, theirs, valid[:, -1], MEASURE)
    assert bool((found["r2_score"] < 0.999).all())
    assert bool((found["valid_imitation_time"] < 30).all())


def test_each_surrogate_is_the_best_linear_fit_of_its_own_member():
    model, train, valid = softmax_model(), windows(200, 1), windows(20, 2)
    surrogate, _ = fit_surrogate(model, train, valid, config(cutoffs=(1e-14,)))
    design = torch.cat([train.flatten(1), torch.ones(200, 1)], dim=1)
    residual = outputs(surrogate, train) - outputs(model, train)
    # Residuals of least squares are orthogonal to the features: 200 products below 10, condition 2.
    assert float((design.T @ residual).abs().max()) < 200 * 10 * 2.2e-16 * 10
    assert bool((residual.norm(dim=(1, 2)) > 0.1).all())


@pytest.mark.parametrize("make", [linear_model, softmax_model])
def test_the_chosen_cutoff_is_the_one_whose_rollouts_stay_closest(make):
    model, train, valid = make(), windows(200, 1), windows(20, 2)
    distances = {}
    for cutoff in CUTOFFS:
        alone, own = fit_surrogate(model, train, valid, config(cutoffs=(cutoff,)))
        assert own == cutoff
        rolled, followed = (predict_rollouts(m, valid[:8], 30) for m in (alone, model))
        distances[cutoff] = float(rollout_error(rolled, followed, 30).median())
    _, chosen = fit_surrogate(model, train, valid, config())
    assert distances[chosen] == min(distances.values())


def test_outputs_in_pieces_are_the_outputs():
    model, x = softmax_model(), windows(CHUNK + 3, 3)
    found = outputs(model, x)
    assert found.shape == (2, CHUNK + 3, 2)
    assert not found.requires_grad
    whole = model(x.expand(2, -1, -1, -1), last_only=True)[:, :, 0].detach()
    # The same sums, perhaps in another order.
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-13)


def test_a_float32_model_gives_float64_outputs_of_its_own_arithmetic():
    model, x = softmax_model().float(), windows(7, 3)
    found = outputs(model, x)
    whole = model(x.float().expand(2, -1, -1, -1), last_only=True)[:, :, 0].detach()
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, whole.double(), rtol=0, atol=1e-5)


def test_the_best_model_has_the_least_median_of_its_seeds_final_validation_errors():
    rows = [
        ("early", 0, 10, 0.1), ("early", 0, 20, 3.0), ("early", 1, 20, 4.0), ("early", 2, 20, 5.0),
        ("best", 0, 20, 1.0), ("best", 1, 20, 2.0), ("best", 2, 20, 9.0),
        ("lucky", 0, 20, 0.01), ("lucky", 1, 20, 3.0), ("lucky", 2, 20, 3.0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["model", "seed", "step", "validation_last"])
    assert best_model(table) == "best"
