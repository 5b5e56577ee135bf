import pytest
import torch
from pydantic import ValidationError

from labs.memory.kernels.test_full_batch import certain
from labs.memory.small_models import config, freeze, skips
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.measure.heads import all_contexts
from pipeline.labs.memory.models.attention import AttentionMemory, InitialConfig


@pytest.mark.parametrize(
    "shape", [config(), config(d_head=6, patterns_per_head=2, n_layers=2, mlp_width=3)]
)
def test_member_k_equals_its_seed_alone(shape):
    together = AttentionMemory(shape, generators([5, 6, 7]))
    tokens = all_contexts(6, 3)
    for k, seed in enumerate((5, 6, 7)):
        alone = AttentionMemory(shape, generators([seed]))
        for name, parameter in alone.named_parameters():
            assert torch.equal(parameter[0], dict(together.named_parameters())[name][k])
        # The same float32 sums, in an order that the stacking may change.
        torch.testing.assert_close(together(tokens)[k], alone(tokens[:1])[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("part", ["E", "P", "QKV", "O", "U"])
def test_a_frozen_part_has_no_gradient_and_the_others_have(part):
    model = AttentionMemory(config(freeze=freeze(part)), generators([1])).double()
    full_batch.divergence(model, certain(model)).sum().backward()
    members = {"QKV": ("W_Q", "W_K", "W_V"), "O": ("W_O",)}.get(part, (part,))
    for name, parameter in model.named_parameters():
        if name.rpartition(".")[2] in members:
            assert not parameter.requires_grad
        else:
            assert parameter.grad is not None
            assert float(parameter.grad.abs().max()) > 0


def test_without_the_residual_and_positions_the_first_token_alone_moves_its_values():
    model = AttentionMemory(config(skips=skips("residual", "pos_QK", "pos_OV")), generators([1]))
    model = model.double()
    logits = model(all_contexts(6, 1)).view(6, 6, 6).detach()
    # Both tokens alike: both values are the same one, whatever the attention gives to each.
    with torch.no_grad():
        model.layers[0].W_Q.mul_(3)
    again = model(all_contexts(6, 1)).view(6, 6, 6).detach()
    same = torch.arange(6)
    torch.testing.assert_close(logits[same, same], again[same, same], atol=1e-13, rtol=0)
    assert float((logits - again).abs().max()) > 1e-3


def test_skipped_positions_make_them_useless():
    model = AttentionMemory(config(skips=skips("pos_QK", "pos_OV")), generators([1])).double()
    before = model(all_contexts(6, 1))
    with torch.no_grad():
        model.P.add_(1)
    assert torch.equal(model(all_contexts(6, 1)), before)


def test_initial_scales_scale_their_parameters():
    plain = AttentionMemory(config(), generators([1]))
    scaled = AttentionMemory(config(initial=InitialConfig(embedding=0.5, OV=2.0)), generators([1]))
    factors = {"E": 0.5, "P": 0.5, "W_V": 2.0, "W_O": 2.0}
    for (name, a), (_, b) in zip(plain.named_parameters(), scaled.named_parameters(), strict=True):
        assert torch.equal(a * factors.get(name.rpartition(".")[2], 1.0), b)


def test_heads_add_up_to_the_stream():
    model = AttentionMemory(config(patterns_per_head=2, d_head=6), generators([1])).double()
    cache = {}
    tokens = all_contexts(6, 1)
    model(tokens, cache)
    second = model.E[0][tokens[0, :, 1]]
    expected = second + cache["layer_0.heads"][0].sum(1)
    torch.testing.assert_close(cache["stream"][0], expected, atol=1e-13, rtol=0)


def test_all_of_position_and_embedding_cannot_be_skipped():
    for part in ("QK", "OV"):
        with pytest.raises(ValidationError, match=f"{part} would see nothing"):
            skips(f"pos_{part}", f"emb_{part}")


def test_patterns_must_divide_a_heads_dimension():
    with pytest.raises(
        ValidationError, match="patterns_per_head must divide d_head, got d_head = 4"
    ):
        config(patterns_per_head=3)
