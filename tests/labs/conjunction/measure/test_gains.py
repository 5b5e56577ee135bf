import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.measure import gains
from pipeline.labs.conjunction.measure.gains import GainsConfig

CONFIG = GainsConfig(positions=20, noise=0.1, gains=(0.0, 10.0), grid=5, seed=0)
X = gains.signal(CONFIG, generators([0])[0])
Q = gains.patterns(20)


def test_each_pattern_sums_to_one_and_they_rise_and_fall():
    # A sum of 20 rounded numbers.
    assert Q.sum(1).tolist() == pytest.approx([1, 1], abs=1e-14)
    assert bool((Q[0].diff() < 0).all())
    assert bool((Q[1].diff() > 0).all())


def test_the_signal_is_a_sine_without_noise():
    clean = gains.signal(CONFIG.model_copy(update={"noise": 0.0}), generators([0])[0])
    expected = [math.sin(2 * math.pi * k / 19) for k in range(20)]
    assert clean.tolist() == pytest.approx(expected, abs=1e-14)
    assert float((X - clean).std()) == pytest.approx(0.1, rel=0.6)


def test_without_gain_attention_is_the_mean():
    weights, output = gains.attend(X, Q, torch.zeros(2, dtype=torch.float64))
    assert weights.tolist() == pytest.approx([1 / 20] * 20, abs=1e-15)
    assert float(output) == pytest.approx(float(X.mean()), abs=1e-15)


@given(first=st.floats(0, 50), second=st.floats(0, 50))
def test_weights_are_the_softmax_and_the_output_their_product(first, second):
    weights, output = gains.attend(X, Q, torch.tensor([first, second], dtype=torch.float64))
    logits = [first * a + second * b for a, b in Q.T.tolist()]
    total = sum(math.exp(v) for v in logits)
    expected = [math.exp(v) / total for v in logits]
    assert weights.tolist() == pytest.approx(expected, rel=1e-12)
    assert float(output) == pytest.approx(
        sum(w * x for w, x in zip(expected, X.tolist(), strict=True)), abs=1e-13
    )


def test_the_grid_holds_all_pairs_of_gains():
    z = gains.grid(CONFIG)
    assert z.shape == (5, 5, 2)
    assert z[1, 3].tolist() == [2.5, 7.5]


@given(gain=st.floats(0.5, 50))
def test_a_larger_gain_narrows_attention(gain):
    z = torch.tensor([[gain / 2, 0.0], [gain, 0.0]], dtype=torch.float64)
    wide, narrow = gains.effective_positions(gains.attend(X, Q, z)[0]).tolist()
    assert 1 <= narrow < wide < 20


def test_the_grid_is_of_one_signal_and_its_ends_are_reported():
    measured = gains.measure(CONFIG)
    assert measured.weights.shape == (5, 5, 20)
    assert measured.x.tolist() == X.tolist()
    assert measured.z.tolist() == [0.0, 2.5, 5.0, 7.5, 10.0]
    expected = gains.attend(X, Q, torch.tensor([2.5, 7.5], dtype=torch.float64))[1]
    # A product over the whole grid may sum in another order.
    assert measured.output[1, 3] == pytest.approx(float(expected), abs=1e-14)
    results = gains.summarise(measured)
    assert results["effective_positions_min_gain"] == pytest.approx(20)
    assert results["effective_positions_max_gain"] == measured.effective_positions[4, 4]
    assert results["effective_positions_least"] == measured.effective_positions.min()
    assert results["widening_steps"] == 2 * 5 * 4


def test_widening_steps_are_counted_along_both_gains_and_their_diagonal():
    # Narrower along the rows, wider along the columns but for one step; the diagonal narrows once.
    effective = np.array([[9.0, 8.0, 7.0], [9.5, 8.5, 7.5], [9.5 * (1 + 1e-15), 9.0, 6.0]])
    empty = np.zeros((3, 3, 1))
    grid = gains.GainGrid(
        x=np.zeros(1), q=np.zeros((2, 1)), z=np.arange(3.0), weights=empty, output=effective,
        effective_positions=effective,
    )  # fmt: skip
    results = gains.summarise(grid)
    assert results["widening_share"] == 4 / 12
    assert results["widening_max"] == 0.5
    assert results["widening_share_together"] == 0.0


@given(first=st.floats(0, 30), second=st.floats(0, 30))
def test_both_gains_together_never_widen_the_weights(first, second):
    # The entropy of softmax(z s) falls as z grows from 0, whatever s.
    z = torch.linspace(0, 1, 20, dtype=torch.float64)[:, None]
    pair = torch.tensor([first, second], dtype=torch.float64)
    effective = gains.effective_positions(gains.attend(X, Q, z * pair)[0]).numpy()
    assert not gains.rises(effective).any()
