import math

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from pipeline.core.nn.attention import attend, pattern

# Sums of at most 50 products of numbers below 10: 50 * 100 * 2.2e-16 is about 1e-12.
ROUNDING = 1e-12
KINDS = ("softmax", "linear")
MASKS = (False, True)


def heads(*, queries=7, keys=7, d_head=3, d_value=4, seed=0):
    """Return q, k, v of 2 members, 3 sequences, 2 heads."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(time, width):
        return torch.randn(2, 3, 2, time, width, generator=generator, dtype=torch.float64)

    return drawn(queries, d_head), drawn(keys, d_head), drawn(keys, d_value)


@pytest.mark.parametrize("causal", MASKS)
@pytest.mark.parametrize("queries", [1, 4, 7])
def test_a_softmax_pattern_is_a_probability_over_the_keys(queries, causal):
    q, k, _ = heads(queries=queries)
    weights = pattern(q, k, kind="softmax", causal=causal)
    assert bool((weights >= 0).all())
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 2, queries).double())


@pytest.mark.parametrize("causal", MASKS)
def test_softmax_attention_is_that_of_torch(causal):
    q, k, v = heads()
    expected = scaled_dot_product_attention(q, k, v, is_causal=causal)
    found = attend(q, k, v, kind="softmax", causal=causal)
    torch.testing.assert_close(found, expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("causal", MASKS)
@pytest.mark.parametrize("queries", [1, 4, 7])
def test_attend_is_the_pattern_times_the_values(kind, causal, queries):
    q, k, v = heads(queries=queries)
    expected = pattern(q, k, kind=kind, causal=causal) @ v
    found = attend(q, k, v, kind=kind, causal=causal)
    torch.testing.assert_close(found, expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("kind", KINDS)
def test_with_a_mask_later_keys_and_values_change_nothing_earlier(kind):
    q, k, v = heads()
    other_k, other_v = heads(seed=1)[1:]
    for cut in range(1, 7):
        changed_k = torch.cat([k[..., :cut, :], other_k[..., cut:, :]], dim=-2)
        changed_v = torch.cat([v[..., :cut, :], other_v[..., cut:, :]], dim=-2)
        before = attend(q, k, v, kind=kind, causal=True)
        after = attend(q, changed_k, changed_v, kind=kind, causal=True)
        torch.testing.assert_close(after[..., :cut, :], before[..., :cut, :], rtol=0, atol=ROUNDING)
        assert not torch.equal(after[..., cut:, :], before[..., cut:, :])


@pytest.mark.parametrize("kind", KINDS)
def test_a_masked_pattern_is_exactly_zero_above_the_diagonal_of_the_last_queries(kind):
    q, k, _ = heads(queries=4)
    weights = pattern(q, k, kind=kind, causal=True)
    hidden = torch.ones(4, 7, dtype=torch.bool).triu(7 - 4 + 1)
    assert bool((weights[..., hidden] == 0).all())
    assert bool((weights[..., ~hidden] != 0).all())


@pytest.mark.parametrize("causal", MASKS)
def test_linear_attention_is_the_mean_over_visible_keys_of_scaled_products(causal):
    q, k, v = heads()
    found = attend(q, k, v, kind="linear", causal=causal)
    for t in range(7):
        seen = range(t + 1 if causal else 7)
        expected = sum(
            (q[..., t, :] * k[..., s, :]).sum(-1, keepdim=True) / math.sqrt(3) * v[..., s, :]
            for s in seen
        ) / len(seen)
        torch.testing.assert_close(found[..., t, :], expected, rtol=0, atol=ROUNDING)


def test_softmax_of_huge_scores_does_not_overflow():
    q, k, _ = heads()
    weights = pattern(1e4 * q, 1e4 * k, kind="softmax", causal=True)
    assert bool(torch.isfinite(weights).all())
