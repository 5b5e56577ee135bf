import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.memory.small_models import config, skips
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data.batches import Batch
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.kernels.unembed_kl import Target, unembed_kl, unembed_logits
from pipeline.labs.memory.measure.heads import all_contexts
from pipeline.labs.memory.models.attention import AttentionMemory


def both(model):
    general = model(all_contexts(model.config.N, model.members))
    tables = unembed_logits(full_batch.stream(model).flatten(2), model.U).transpose(1, 2)
    return tables, general


def agree(model):
    tables, general = both(model)
    # Logits of order 10 from sums of some hundred products in float64.
    torch.testing.assert_close(tables, general, atol=1e-11, rtol=1e-11)


@given(
    d=st.integers(1, 5),
    patterns_per_head=st.integers(1, 3),
    d_sub=st.integers(1, 3),
    n_heads=st.integers(1, 3),
    n_layers=st.integers(1, 3),
    mlp_width=st.sampled_from([0, 3]),
    mlp_depth=st.integers(1, 2),
    norm=st.booleans(),
    on=st.sampled_from(
        [(), ("residual",), ("pos_QK", "emb_OV"), ("emb_QK",), ("pos_OV", "residual")]
    ),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_the_tables_agree_with_the_general_path(
    d, patterns_per_head, d_sub, n_heads, n_layers, mlp_width, mlp_depth, norm, on, seed
):
    shape = config(
        d=d, d_head=patterns_per_head * d_sub, patterns_per_head=patterns_per_head, n_heads=n_heads,
        n_layers=n_layers, mlp_width=mlp_width, mlp_depth=mlp_depth, norm=norm and d > 1,
        skips=skips(*on),
    )  # fmt: skip
    agree(AttentionMemory(shape, generators([seed, seed + 1])).double())


def certain(model, seed=0):
    g = torch.Generator().manual_seed(seed)
    N, M = model.config.N, model.members
    token = torch.randint(N, (M, N * N), generator=g)
    weight = torch.full((M, N * N), 1 / N**2, dtype=model.E.dtype)
    return Batch(None, Target(weight, token, None, torch.zeros(M, dtype=model.E.dtype)))


@pytest.mark.parametrize(
    "shape",
    [
        config(),
        config(n_layers=2, mlp_width=5, patterns_per_head=2),
        config(mlp_width=5, mlp_depth=2, skips=skips("residual")),
    ],
)
def test_their_gradients_agree_too(shape):
    model = AttentionMemory(shape, generators([3, 4])).double()
    batch = certain(model)
    full_batch.divergence(model, batch).sum().backward()
    by_tables = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    cache = {}
    model(all_contexts(6, 2), cache)
    unembed_kl(cache["stream"].permute(2, 0, 1), model.U, batch.target).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(by_tables[name], parameter.grad, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("shape", [config(), config(n_layers=2), config(mlp_width=5)])
def test_chosen_contexts_are_columns_of_all(shape):
    model = AttentionMemory(shape, generators([3, 4])).double()
    batch = certain(model)
    pair = torch.tensor([[3, 7, 7], [0, 35, 1]])
    target = Target(
        torch.full((2, 3), 1 / 3, dtype=torch.float64),
        pair % 6,
        None,
        torch.zeros(2, dtype=torch.float64),
    )
    some = full_batch.chosen(model, Batch(pair, target))
    whole = full_batch.chosen(model, batch)
    expected = whole.gather(2, pair.expand(4, -1, -1))
    torch.testing.assert_close(some, expected, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("shape", [config(), config(patterns_per_head=2, skips=skips("residual"))])
def test_tables_of_the_possible_first_tokens_alone_give_the_same(shape):
    model = AttentionMemory(shape, generators([3, 4])).double()
    first = torch.tensor([[1, 2, 5], [0, 3, 4]])
    pair = torch.tensor([[6, 17, 35], [29, 0, 18]])
    target = certain(model).target
    some = full_batch.chosen(model, Batch(pair, target, first))
    torch.testing.assert_close(
        some, full_batch.chosen(model, Batch(pair, target)), atol=1e-13, rtol=1e-13
    )


def test_a_batch_of_all_contexts_has_no_rows_to_name():
    model = AttentionMemory(config(), generators([3]))
    with pytest.raises(ValueError, match="all contexts are chosen"):
        certain(model).row(6)


def test_maps_are_the_general_paths_patterns():
    model = AttentionMemory(config(patterns_per_head=2), generators([3, 4])).double()
    cache = {}
    model(all_contexts(6, 2), cache)
    maps = full_batch.attention_maps(model.layers[0], model.E, model.P)
    pattern = cache["layer_0.pattern"][..., 0].view(2, 6, 6, 6).permute(3, 0, 1, 2)
    torch.testing.assert_close(maps, pattern, atol=1e-13, rtol=1e-12)


def test_accuracy_counts_the_preferred_token():
    model = AttentionMemory(config(), generators([3])).double()
    guess = both(model)[0].argmax(2)
    batch = certain(model)
    right = Batch(None, Target(batch.target.weight, guess, None, batch.target.entropy))
    assert full_batch.accuracy(model, right).item() == pytest.approx(1, abs=1e-12)
    wrong = Target(batch.target.weight, (guess + 1) % 6, None, batch.target.entropy)
    assert full_batch.accuracy(model, Batch(None, wrong)).item() == 0


def test_the_memory_it_needs_grows_with_the_cube_of_the_tokens():
    small, large = (full_batch.bytes_needed(N, 0, 1, 0) for N in (50, 100))
    assert large == 8 * small
