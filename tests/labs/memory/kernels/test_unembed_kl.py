import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.labs.memory.kernels.unembed_kl import Target, unembed_kl, unembed_logits


def batch(members=2, contexts=5, tokens=4, d=3, certain=False, seed=0):
    g = torch.Generator().manual_seed(seed)
    stream = torch.randn(d, members, contexts, generator=g, dtype=torch.float64)
    U = torch.randn(members, tokens, d, generator=g, dtype=torch.float64)
    weight = torch.rand(members, contexts, generator=g, dtype=torch.float64)
    weight = weight / weight.sum(1, keepdim=True)
    if certain:
        token = torch.randint(tokens, (members, contexts), generator=g)
        none = torch.zeros(members, dtype=torch.float64)
        return stream, U, Target(weight, token, None, none)
    distribution = torch.randn(members, tokens, contexts, generator=g, dtype=torch.float64).softmax(
        1
    )
    entropy = -(torch.xlogy(distribution, distribution).sum(1) * weight).sum(1)
    return stream, U, Target(weight, None, distribution, entropy)


@given(seed=st.integers(0, 2**31), certain=st.booleans())
@settings(max_examples=30, deadline=None)
def test_it_is_the_weighted_kullback_leibler_divergence(seed, certain):
    stream, U, target = batch(seed=seed, certain=certain)
    distribution = target.distribution
    if distribution is None:
        distribution = torch.nn.functional.one_hot(target.token, 4).transpose(1, 2).double()
    predicted = unembed_logits(stream, U).log_softmax(1)
    expected = (
        (torch.xlogy(distribution, distribution) - distribution * predicted).sum(1) * target.weight
    ).sum(1)
    found = unembed_kl(stream, U, target)
    # A few sums and logarithms of order 1 to 10 in float64.
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)
    assert bool((found > -1e-12).all())


def test_the_hand_written_gradient_is_the_numerical_one():
    for certain in (True, False):
        stream, U, target = batch(certain=certain)
        inputs = (stream.requires_grad_(), U.requires_grad_())
        assert torch.autograd.gradcheck(lambda x, u, t=target: unembed_kl(x, u, t), inputs)


def test_predicting_the_distribution_itself_costs_nothing():
    _, _, target = batch(tokens=3, d=3)
    U = torch.eye(3, dtype=torch.float64).expand(2, -1, -1)
    stream = target.distribution.log().transpose(0, 1)
    found = unembed_kl(stream, U, target)
    torch.testing.assert_close(found, torch.zeros(2, dtype=torch.float64), atol=1e-14, rtol=0)


def test_large_logits_do_not_overflow():
    stream, U, target = batch(certain=True)
    found = unembed_kl(stream * 1e3, U * 1e3, target)
    assert bool(torch.isfinite(found).all())
