import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.nn.single import SingleMember
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.models.attention import AttentionConfig, BinaryAttention
from pipeline.labs.conjunction.models.encoding import encode

SHAPE = {
    "positions": 17, "d_head": 2, "queries": "tokens", "readout": "each", "bias": False,
    "init_std": 0.001,
}  # fmt: skip
EPS = torch.finfo(torch.float64).eps


def attention(seeds, **changes):
    return BinaryAttention(AttentionConfig(**{**SHAPE, **changes}), generators(seeds)).double()


def some_bits(members, positions, seed=0, batch=6):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(members, batch, positions, generator=generator) < 0.7).double()


def tutorial_logits(model, bits, member):
    """The tutorial's forward pass: T x T scores for every sequence."""
    m = member
    x = model.W_E[m][bits[m].long()] + model.W_pos[m]
    q, k, v = x @ model.W_Q[m], x @ model.W_K[m], x @ model.W_V[m]
    scores = (q @ k.transpose(1, 2)) * model.config.d_head**-0.5
    return (scores.softmax(-1) @ v)[..., 0] @ model.readout[m]


def test_the_tutorials_attention_has_65_parameters():
    assert attention([0]).parameters_per_member == 65


@given(seed=st.integers(0, 10**6), size=st.sampled_from([0.1, 1.0, 4.0]))
@settings(deadline=None, max_examples=30)
def test_the_fast_form_is_the_tutorials_forward_pass(seed, size):
    model = attention([seed, seed + 1], positions=7, init_std=size)
    bits = some_bits(2, 7, seed)
    scores, values = model.tables()
    gap = float((scores.amax() - scores.amin()).detach())
    with torch.no_grad():
        found = model(encode(model, bits))
        scale = float(values.abs().max() * model.readout.abs().max())
        for m in range(2):
            # As for the table itself, then a sum of T terms of readout times value.
            error = (found[m] - tutorial_logits(model, bits, m)).abs().max()
            assert float(error) <= 7 * (4 * gap + 40) * EPS * scale


def test_score_gaps_of_several_hundred_agree_too():
    model = attention([0], positions=7, init_std=1.0)
    with torch.no_grad():
        scores, _ = model.tables()
        model.W_Q.mul_(600 / (scores.amax() - scores.amin()))
        scores, values = model.tables()
        gap = float(scores.amax() - scores.amin())
        assert gap == pytest.approx(600)
        bits = some_bits(1, 7)
        error = (model(encode(model, bits))[0] - tutorial_logits(model, bits, 0)).abs().max()
        scale = float(values.abs().max() * model.readout.abs().max())
    assert float(error) <= 7 * (4 * gap + 40) * EPS * scale


@pytest.mark.parametrize("queries", ["tokens", "positions", "cls"])
@pytest.mark.parametrize("readout", ["each", "shared"])
def test_every_variant_gives_a_logit_and_a_gradient_to_every_parameter(queries, readout):
    model = attention([0, 1], queries=queries, readout=readout, bias=True, init_std=0.5)
    logits = model(encode(model, some_bits(2, 17)))
    assert logits.shape == (2, 6)
    logits.square().sum().backward()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert float(parameter.grad.abs().min(0).values.max()) > 0


def test_a_shared_readout_is_the_mean_of_the_queries():
    each, shared = attention([0], init_std=0.5), attention([0], readout="shared", init_std=0.5)
    with torch.no_grad():
        for name in ("W_E", "W_pos", "W_Q", "W_K", "W_V"):
            getattr(each, name).copy_(getattr(shared, name))
        each.readout.copy_(shared.readout.expand(-1, 17) / 17)
    bits = some_bits(1, 17)
    assert torch.equal(each(encode(each, bits)), shared(encode(shared, bits)))


def test_position_queries_do_not_depend_on_their_bit():
    model = attention([0], queries="positions", positions=5, init_std=0.5)
    scores, _ = model.tables()
    assert scores.shape == (1, 5, 10)


def test_one_query_divides_the_sequences_by_a_linear_threshold():
    # sum_t E_t v_t / sum_t E_t > 0 if and only if sum_t E_t v_t > 0, which is linear in the bits.
    model = attention([0], queries="cls", positions=9, init_std=1.0)
    bits = some_bits(1, 9, batch=200)
    scores, values = model.tables()
    terms = (scores[:, 0].exp() * values * model.readout)[0]
    linear = bits[0] @ (terms[9:] - terms[:9]) + terms[:9].sum()
    assert torch.equal(model(encode(model, bits))[0] > 0, linear > 0)


def test_a_member_is_its_seed_alone():
    both, alone = attention([3, 4]), attention([4])
    for name, value in both.state_dict().items():
        assert torch.equal(value[1:], alone.state_dict()[name])


@pytest.mark.parametrize("queries", ["tokens", "cls"])
def test_the_exported_model_computes_the_same(queries):
    model = attention([0], queries=queries, positions=7, init_std=1.0)
    present = encode(model, some_bits(1, 7))[0]
    batch = torch.export.Dim("batch")
    exported = torch.export.export(
        SingleMember(model), (present,), dynamic_shapes=({0: batch},)
    ).module()
    other = encode(model, some_bits(1, 7, seed=1, batch=3))[0]
    with torch.no_grad():
        # The plain form instead of the table: rounding of a few sums of numbers of order 10.
        assert torch.allclose(exported(other), model(other[None])[0], rtol=0, atol=1e-12)
