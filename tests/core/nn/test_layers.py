import pytest
import torch

from pipeline.core.nn.layers import MemberLinear, concatenate
from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.sampling import generators

SHAPE = {
    "d_in": 2, "d_out": 2, "d_model": 4, "d_head": 2, "n_layers": 2, "attention": "softmax",
    "causal": True, "positions": 6, "previous_token": False, "bias": True, "mlp_width": 3,
    "norm": True,
}  # fmt: skip


def models(seeds, **changes):
    return Transformer(TransformerConfig(**{**SHAPE, **changes}), generators(seeds)).double()


def inputs(members):
    generator = torch.Generator().manual_seed(9)
    return torch.randn(members, 3, 6, 2, generator=generator, dtype=torch.float64)


def same(first, second):
    return all(
        torch.equal(a, b)
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_a_member_starts_alike_whoever_stands_beside_it():
    assert same(models([3, 1, 4]).member(1), models([1]))


def test_a_member_linear_is_an_affine_map_of_each_member():
    layer = MemberLinear(3, 2, generators([0, 1]), bias=True).double()
    x = torch.randn(2, 4, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for member in range(2):
        expected = x[member] @ layer.W[member] + layer.b[member]
        # Four terms below 10: 4 * 10 * 2.2e-16.
        torch.testing.assert_close(layer(x)[member], expected, rtol=0, atol=1e-14)


def test_a_member_taken_out_computes_the_same():
    stacked, x = models([0, 1, 2]), inputs(3)
    for k in range(3):
        alone = stacked.member(k)
        assert alone.members == 1
        assert alone.config == stacked.config
        # A batched product of one may be summed in another order than of three.
        torch.testing.assert_close(alone(x[k : k + 1])[0], stacked(x)[k], rtol=0, atol=1e-12)


def test_a_member_taken_out_is_a_copy():
    stacked = models([0, 1])
    alone = stacked.member(0)
    with torch.no_grad():
        for parameter in alone.parameters():
            parameter.zero_()
    assert bool((stacked.embed.W[0] != 0).all())


def test_joined_members_are_the_members():
    stacked = models([0, 1, 2, 3])
    parts = [models([0]), models([1, 2]), models([3])]
    joined = concatenate(parts)
    assert joined.members == 4
    assert next(joined.parameters()).dtype == torch.float64
    assert same(joined, stacked)


def test_models_of_other_configurations_or_classes_cannot_be_joined():
    other = LinearWindow(LinearWindowConfig(window=6, d_in=2, d_out=2), generators([0])).double()
    for foreign in (models([1], causal=False), other):
        with pytest.raises(ValueError, match="only models of one class and configuration"):
            concatenate([models([0]), foreign])


def test_a_model_of_no_members_is_refused():
    with pytest.raises(ValueError, match="a generator for each member, got none"):
        models([])
