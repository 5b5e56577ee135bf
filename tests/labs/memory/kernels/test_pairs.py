import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.nn.attention import attend
from pipeline.labs.memory.kernels.pairs import first_key_weight, pair_attention


def tables(heads, members, first, second, channels, d, seed=0):
    g = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float64, requires_grad=True)

    return (
        draw(heads, members, first, channels),
        draw(heads, members, second, channels),
        draw(heads, members, second, channels),
        draw(members, first, heads, d),
        draw(members, second, heads, d),
    )


@given(
    heads=st.integers(1, 4),
    members=st.integers(1, 3),
    first=st.integers(1, 5),
    second=st.integers(1, 5),
    channels=st.integers(1, 4),
    d=st.integers(1, 4),
)
@settings(max_examples=30, deadline=None)
def test_every_pair_is_attention_over_its_two_keys(heads, members, first, second, channels, d):
    key_a, query, key_b, value_a, value_b = tables(heads, members, first, second, channels, d)
    found = pair_attention(key_a, query, key_b, value_a, value_b)
    for a in range(first):
        for b in range(second):
            q = query[:, :, b].transpose(0, 1)[:, None, :, None] * channels**0.5
            k = torch.stack([key_a[:, :, a], key_b[:, :, b]], 2).transpose(0, 1)[:, None]
            v = torch.stack([value_a[:, a], value_b[:, b]], 2)[:, None]
            expected = attend(q, k, v, kind="softmax", causal=False).sum((1, 2, 3))
            # Sums of a few products of order 1 in float64.
            torch.testing.assert_close(found[:, :, a, b].T, expected, atol=1e-12, rtol=1e-12)


def test_the_hand_written_gradient_is_the_numerical_one():
    inputs = tables(2, 2, 3, 4, 2, 3)
    assert torch.autograd.gradcheck(pair_attention, inputs)


def test_weights_are_probabilities_and_equal_keys_share_them():
    key_a, query, *_ = tables(2, 2, 3, 3, 2, 3)
    weight = first_key_weight(key_a, query, key_a)
    assert bool(((weight > 0) & (weight < 1)).all())
    # The same key twice: half each, up to the rounding of a difference of equal numbers.
    same = weight.diagonal(dim1=2, dim2=3)
    torch.testing.assert_close(same, torch.full_like(same, 0.5), atol=1e-14, rtol=0)


def test_equal_values_come_out_whatever_the_weights():
    key_a, query, key_b, value, _ = tables(3, 2, 4, 4, 2, 3)
    value = value[:, :1].expand(-1, 4, -1, -1)
    found = pair_attention(key_a, query, key_b, value, value)
    expected = value[:, 0].sum(1).T[:, :, None, None].expand_as(found)
    torch.testing.assert_close(found, expected, atol=1e-13, rtol=0)


@pytest.mark.parametrize("member", [0, 1, 2])
def test_a_member_is_what_it_is_alone(member):
    key_a, query, key_b, value_a, value_b = tables(2, 3, 3, 4, 2, 3)
    whole = pair_attention(key_a, query, key_b, value_a, value_b)
    one = slice(member, member + 1)
    alone = pair_attention(key_a[:, one], query[:, one], key_b[:, one], value_a[one], value_b[one])
    torch.testing.assert_close(whole[:, one], alone, atol=1e-14, rtol=0)
