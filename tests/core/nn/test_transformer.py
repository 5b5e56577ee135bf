import itertools
import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn.functional import gelu

from pipeline.core.nn.attention import pattern
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.sampling import generators

# Activations stay below 100 and pass through some 200 roundings: 200 * 100 * 2.2e-16 < 1e-11.
ROUNDING = 1e-11
PLAIN = {
    "d_in": 2,
    "d_out": 3,
    "d_model": 6,
    "d_head": 3,
    "n_layers": 2,
    "attention": "softmax",
    "causal": True,
    "positions": 0,
    "previous_token": False,
    "bias": True,
    "mlp_width": 0,
    "norm": False,
}
VARIANTS = (
    {},
    {"causal": False},
    {"attention": "linear"},
    {"attention": "linear", "causal": False, "bias": False, "d_head": 2},
    {"previous_token": True, "d_head": 6},
    {"positions": 9},
    {"mlp_width": 5, "norm": True},
    {"n_layers": 3, "mlp_width": 4, "positions": 8, "previous_token": True, "bias": False},
)
BOTH = tuple(itertools.product(("softmax", "linear"), (False, True)))


def config(**changes):
    return TransformerConfig(**{**PLAIN, **changes})


def model(members=3, **changes):
    return Transformer(config(**changes), generators(range(members))).double()


def sequences(members=3, time=8, seed=5):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(members, 4, time, 2, generator=generator, dtype=torch.float64)


def dense(weight, bias=None):
    """Return torch's own affine layer with these weights."""
    layer = nn.Linear(*weight.shape, bias=bias is not None, dtype=torch.float64)
    state = {"weight": weight.T} | ({} if bias is None else {"bias": bias})
    layer.load_state_dict(state)
    return layer


def norm(x, used):
    return x / (x.pow(2).mean() + 1e-6).sqrt() if used else x


def read_aloud(c, state, sequence):
    """Compute one member's output on one sequence as the definition says, a token at a time."""
    tokens = list(sequence)
    if c.previous_token:
        tokens = [torch.cat([x, tokens[max(t - 1, 0)]]) for t, x in enumerate(tokens)]
    embed = dense(state["embed.W"], state.get("embed.b"))
    stream = [embed(x) for x in tokens]
    if c.positions:
        stream = [x + state["W_pos"][t] for t, x in enumerate(stream)]
    for layer in range(c.n_layers):
        q, k, v, o = (dense(state[f"layers.{layer}.W_{name}"]) for name in "QKVO")
        normed = [norm(x, c.norm) for x in stream]
        added = []
        for t, x in enumerate(normed):
            visible = normed[: t + 1] if c.causal else normed
            outputs = []
            for head in range(c.d_model // c.d_head):
                own = slice(head * c.d_head, (head + 1) * c.d_head)
                scores = [q(x)[own] @ k(y)[own] / math.sqrt(c.d_head) for y in visible]
                if c.attention == "softmax":
                    weights = torch.softmax(torch.stack(scores), 0)
                else:
                    weights = torch.stack(scores) / len(visible)
                outputs.append(sum(w * v(y)[own] for w, y in zip(weights, visible, strict=True)))
            added.append(o(torch.cat(outputs)))
        stream = [x + y for x, y in zip(stream, added, strict=True)]
        if c.mlp_width:
            up, down = (
                dense(state[f"mlps.{layer}.{k}.W"], state.get(f"mlps.{layer}.{k}.b"))
                for k in (0, 2)
            )
            stream = [x + down(gelu(up(norm(x, c.norm)))) for x in stream]
    unembed = dense(state["unembed.W"], state.get("unembed.b"))
    return torch.stack([unembed(x) for x in stream])


@pytest.mark.parametrize("changes", VARIANTS)
def test_it_computes_what_its_definition_says_token_by_token(changes):
    stacked, x = model(members=2, **changes), sequences(members=2)
    found = stacked(x)
    for member in range(2):
        state = {name: value[member] for name, value in stacked.state_dict().items()}
        with torch.no_grad():
            expected = read_aloud(stacked.config, state, x[member, 1])
        torch.testing.assert_close(found[member, 1], expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("changes", VARIANTS)
def test_the_last_position_alone_is_the_last_of_all(changes):
    stacked, x = model(**changes), sequences()
    torch.testing.assert_close(
        stacked(x, last_only=True), stacked(x)[:, :, -1:], rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("changes", VARIANTS)
def test_capturing_activations_changes_no_output(changes, last_only):
    stacked, x = model(**changes), sequences()
    captured = stacked(x, last_only=last_only, cache={})
    torch.testing.assert_close(captured, stacked(x, last_only=last_only), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(("kind", "causal"), BOTH)
def test_captured_activations_explain_each_other(kind, causal):
    stacked, x = model(attention=kind, causal=causal), sequences()
    cache = {}
    output = stacked(x, cache=cache)
    for layer in range(2):
        own = {name: cache[f"layer_{layer}.{name}"] for name in ("q", "k", "v", "z", "pattern")}
        expected = pattern(own["q"], own["k"], kind=kind, causal=causal)
        torch.testing.assert_close(own["pattern"], expected)
        torch.testing.assert_close(own["z"], own["pattern"] @ own["v"])
        after = cache.get(f"layer_{layer + 1}.residual", cache["final.residual"])
        joined = own["z"].transpose(2, 3).flatten(-2)
        added = joined @ stacked.layers[layer].W_O[:, None]
        change = after - cache[f"layer_{layer}.residual"]
        torch.testing.assert_close(change, added, rtol=0, atol=ROUNDING)
    torch.testing.assert_close(cache["layer_0.residual"], stacked.embed(x))
    torch.testing.assert_close(output, stacked.unembed(cache["final.residual"]))


def test_the_last_query_s_captured_pattern_is_the_last_row_of_the_full_one():
    stacked, x = model(), sequences()
    full, last = {}, {}
    stacked(x, cache=full)
    stacked(x, last_only=True, cache=last)
    assert last["layer_1.pattern"].shape[-2:] == (1, 8)
    torch.testing.assert_close(last["layer_1.pattern"], full["layer_1.pattern"][..., -1:, :])
    torch.testing.assert_close(last["layer_0.pattern"], full["layer_0.pattern"])


@pytest.mark.parametrize("changes", [v for v in VARIANTS if v.get("causal", True)])
def test_a_causal_model_sees_no_later_token(changes):
    stacked, x = model(**changes), sequences()
    before = stacked(x)
    for cut in range(1, 8):
        changed = torch.cat([x[:, :, :cut], sequences(seed=6)[:, :, cut:]], dim=2)
        after = stacked(changed)
        torch.testing.assert_close(after[:, :, :cut], before[:, :, :cut], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("kind", ["softmax", "linear"])
def test_without_mask_and_positions_the_order_of_earlier_tokens_is_nothing(kind):
    stacked, x = model(attention=kind, causal=False), sequences()
    shuffled = x[:, :, [3, 0, 6, 1, 5, 2, 4, 7]]
    torch.testing.assert_close(
        stacked(shuffled, last_only=True), stacked(x, last_only=True), rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("changes", [{"positions": 8}, {"previous_token": True}, {"causal": True}])
def test_positions_previous_tokens_and_masks_make_order_count(changes):
    stacked, x = model(**{"causal": False, **changes}), sequences()
    shuffled = x[:, :, [3, 0, 6, 1, 5, 2, 4, 7]]
    difference = (stacked(shuffled, last_only=True) - stacked(x, last_only=True)).abs().max()
    assert difference > 1e-4, "far above rounding (1e-11)"


def test_the_first_position_is_its_own_previous_one():
    stacked, x = model(previous_token=True), sequences()
    tokens = stacked.tokens(x)
    doubled = torch.cat([x[:, :, 0], x[:, :, 0]], dim=-1)
    torch.testing.assert_close(tokens[:, :, 0], stacked.embed(doubled))
    paired = torch.cat([x[:, :, 4], x[:, :, 3]], dim=-1)
    torch.testing.assert_close(tokens[:, :, 4], stacked.embed(paired))


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("kind", "causal"), BOTH)
def test_without_biases_attention_is_an_odd_function(kind, causal, norm):
    stacked = model(attention=kind, causal=causal, bias=False, norm=norm, previous_token=True)
    x = sequences()
    torch.testing.assert_close(stacked(-x), -stacked(x), rtol=0, atol=ROUNDING)


def test_without_biases_and_norms_linear_attention_of_one_layer_has_degrees_one_and_three():
    stacked, x = model(attention="linear", bias=False, n_layers=1), sequences()
    embedded = stacked.unembed(stacked.embed(x))
    cubic = stacked(x) - embedded
    torch.testing.assert_close(stacked(2 * x), 2 * embedded + 8 * cubic, rtol=0, atol=ROUNDING)


def test_a_sequence_longer_than_the_positions_is_refused():
    with pytest.raises(ValueError, match="a sequence of 8 is longer than the 7 positions"):
        model(positions=7)(sequences(time=8))


def test_the_heads_must_fill_the_stream():
    with pytest.raises(ValidationError, match="d_head must divide d_model, got d_head = 4"):
        config(d_head=4)


@pytest.mark.parametrize("changes", VARIANTS)
def test_parameters_are_counted_for_one_member(changes):
    c = config(**changes)
    d, one = c.d_model, int(c.bias)
    expected = (2 * c.d_in if c.previous_token else c.d_in) * d + one * d
    expected += c.n_layers * 4 * d * d
    if c.mlp_width:
        expected += c.n_layers * (2 * d * c.mlp_width + one * (c.mlp_width + d))
    expected += d * c.d_out + one * c.d_out + c.positions * d
    assert model(members=3, **changes).parameters_per_member == expected
    assert model(members=1, **changes).parameters_per_member == expected


def test_the_study_s_model_of_width_two_has_28_parameters():
    stacked = model(d_out=2, d_model=2, d_head=2, n_layers=1)
    assert stacked.parameters_per_member == 6 + 16 + 6


def test_members_never_mix():
    stacked, x = model(), sequences()
    changed = x.clone()
    changed[1] = 7.0
    before, after = stacked(x), stacked(changed)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])
