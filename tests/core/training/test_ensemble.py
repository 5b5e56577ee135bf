import itertools

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.ensemble import (
    DivergenceError,
    TrainingConfig,
    clip_by_member_norm,
    train,
)
from pipeline.core.training.optimizers import ELEMENTWISE, OptimizerConfig
from pipeline.core.training.sampling import generators, minibatches

STEPS = 25
# The same sums in another order differ by 1e-16 a step; an adaptive optimiser divides a gradient by
# its size, or by 1e-8 where it vanishes: 1e-16 / 1e-8 x rate 0.01 x 25 steps = 2.5e-9 at most.
ROUNDING = 2.5e-9
SHAPE = TransformerConfig(
    d_in=2, d_out=2, d_model=4, d_head=2, n_layers=2, attention="softmax", causal=True,
    positions=0, previous_token=False, bias=True, mlp_width=0, norm=False,
)  # fmt: skip
RATES = {seed: 0.003 * (seed + 1) for seed in range(5)}


def training(name="AdamW", rate=0.01, clip=None, **changes):
    options = {"weight_decay": 0.1} if name in ("AdamW", "SGD", "Adam") else {}
    optimizer = OptimizerConfig(
        name=name, learning_rate=rate, options=options, schedule="cosine", final_fraction=0.1,
        warmup_steps=3,
    )  # fmt: skip
    settings = {
        "steps": STEPS, "batch_size": 8, "optimizer": optimizer, "clip_norm": clip,
        "dtype": "float64", "record_every": 5,
    }  # fmt: skip
    return TrainingConfig(**{**settings, **changes})


def error(model, batch):
    predicted = model(batch[:, :, :-1])
    return (predicted - batch[:, :, 1:]).square().sum(-1).mean((1, 2))


def trained(seeds, config, optimizer=lambda model: None, **keywords):
    """Train the study's kind of model on the same noise; each seed draws its own batches."""
    noise = torch.Generator().manual_seed(11)
    data = torch.randn(40, 6, 2, generator=noise, dtype=torch.float64)
    model = Transformer(SHAPE, generators(seeds)).double()
    indices = minibatches(40, config.batch_size, generators(seeds, purpose=1))
    batches = (data[index] for index in indices)
    history = train(model, error, batches, config, optimizer=optimizer(model), **keywords)
    return model, history


def assert_same_member(together, k, alone):
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(
            together.state_dict()[name][k],
            value[0],
            rtol=0,
            atol=ROUNDING,
            msg=lambda m, n=name: n + m,
        )


@pytest.mark.parametrize("clip", [None, 0.05], ids=["free", "clipped"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_member_is_its_seed_trained_alone(name, clip):
    config = training(name, clip=clip)
    together, history = trained([0, 3, 1], config)
    for k, seed in enumerate([0, 3, 1]):
        alone, its_history = trained([seed], config)
        assert_same_member(together, k, alone)
        torch.testing.assert_close(
            history.values["loss"][:, k], its_history.values["loss"][:, 0], rtol=0, atol=ROUNDING
        )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_member_with_its_own_rate_is_its_seed_trained_alone_at_that_rate(name):
    seeds = [2, 0, 4]
    rates = torch.tensor([RATES[seed] for seed in seeds], dtype=torch.float64)
    together, _ = trained(seeds, training(name), learning_rates=rates)
    for k, seed in enumerate(seeds):
        alone, _ = trained([seed], training(name, rate=RATES[seed]))
        assert_same_member(together, k, alone)


def test_a_member_does_not_depend_on_who_is_stacked_with_it():
    config = training(clip=0.05)
    first, _ = trained([2, 0], config)
    second, _ = trained([4, 1, 3, 2], config)
    assert_same_member(second, 3, first.member(0))


def test_members_of_different_seeds_become_different_models():
    together, _ = trained([0, 1], training())
    for value in together.state_dict().values():
        assert float((value[0] - value[1]).abs().max()) > 1e-3, "far above rounding (2.5e-9)"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_training_twice_gives_the_same_bits(dtype):
    config = training(dtype=dtype)
    (one, first), (two, second) = (trained([0, 1], config) for _ in range(2))
    for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(first.values["loss"], second.values["loss"])


@pytest.mark.parametrize("limit", [1e-3, 0.5, 1.0, 100.0])
def test_clipping_scales_each_member_as_torch_scales_one_model(limit):
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 4, 2), (3, 5)]
    size = torch.tensor([1e-3, 0.3, 20.0], dtype=torch.float64)
    stacked = [nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for shape in shapes]
    for parameter in stacked:
        drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.grad = drawn * size.view(-1, *[1] * (parameter.ndim - 1))
    alone = [[nn.Parameter(p[k].detach().clone()) for p in stacked] for k in range(3)]
    for k, parameters in enumerate(alone):
        for own, parameter in zip(parameters, stacked, strict=True):
            own.grad = parameter.grad[k].clone()
        norm = nn.utils.clip_grad_norm_(parameters, limit)
        # torch divides by norm + 1e-6: where it clips, it stops short by 1e-6 / norm.
        torch_short = float(1e-6 / norm)
        clip_by_member_norm(stacked, limit) if k == 0 else None
        for own, parameter in zip(parameters, stacked, strict=True):
            torch.testing.assert_close(
                parameter.grad[k], own.grad, rtol=2 * torch_short + 1e-14, atol=0
            )


def test_a_clipped_gradient_has_the_limit_s_norm_and_a_small_one_is_untouched():
    weight = nn.Parameter(torch.zeros(2, 3, dtype=torch.float64))
    weight.grad = torch.tensor([[3.0, 0.0, 4.0], [0.3, 0.0, 0.4]], dtype=torch.float64)
    clip_by_member_norm([weight], 1.0)
    torch.testing.assert_close(weight.grad[0], torch.tensor([0.6, 0.0, 0.8]).double())
    assert weight.grad[1].tolist() == [0.3, 0.0, 0.4]


def test_a_zero_gradient_stays_zero():
    weight = nn.Parameter(torch.ones(2, 3, dtype=torch.float64))
    weight.grad = torch.zeros_like(weight)
    clip_by_member_norm([weight], 1.0)
    assert bool((weight.grad == 0).all())


def test_the_history_records_every_so_many_steps_and_the_last():
    _, history = trained([0, 1], training(steps=12, record_every=5))
    assert history.steps == [5, 10, 12]
    assert history.values["loss"].shape == (3, 2)
    assert history.values["loss"].dtype == torch.float64


def linear(members=1):
    config = LinearWindowConfig(window=1, d_in=1, d_out=1)
    return LinearWindow(config, generators(range(members))).double()


def test_a_record_holds_the_loss_before_its_step_and_the_evaluation_after_it():
    model, untrained = linear(), linear()
    batch = torch.ones(1, 4, 1, 1, dtype=torch.float64)
    history = train(
        model,
        lambda m, b: m(b).square().mean((1, 2, 3)),
        itertools.repeat(batch),
        training("SGD", steps=3, record_every=1),
        evaluate=lambda m: {"weight": m.map.W.flatten()},
    )
    before = untrained(batch).square().mean((1, 2, 3)).detach()
    assert torch.equal(history.values["loss"][0], before)
    assert torch.equal(history.values["weight"][2], model.map.W.detach().flatten())
    assert not torch.equal(model.map.W, untrained.map.W)


def test_every_step_is_reported():
    seen = []
    trained([0], training(), on_step=lambda: seen.append(1))
    assert len(seen) == STEPS


def test_a_loss_that_is_not_finite_names_the_member_and_the_step():
    for bad in (torch.nan, torch.inf):
        batches = [torch.ones(3, 2, 1, 1, dtype=torch.float64) for _ in range(10)]
        batches[3][1] = bad
        with pytest.raises(DivergenceError, match=r"the loss of member 1 is (nan|inf) at step 4;"):
            train(
                linear(3),
                lambda model, batch: model(batch).square().mean((1, 2, 3)),
                iter(batches),
                training("SGD", steps=10, record_every=1),
            )


def test_a_divergence_between_records_is_told_at_the_next_record():
    batches = itertools.repeat(torch.ones(2, 2, 1, 1, dtype=torch.float64))
    with pytest.raises(DivergenceError, match=r"member 0 .* at step 100; a lower learning rate"):
        train(
            linear(2),
            lambda model, batch: model(batch).square().mean((1, 2, 3)),
            batches,
            training("SGD", rate=100.0, steps=200, record_every=100, clip=None),
        )


def test_parameters_that_are_frozen_stay_as_they_are():
    model = linear(2)
    model.map.b.requires_grad_(False)
    kept = model.map.b.clone()
    batches = itertools.repeat(torch.ones(2, 4, 1, 1, dtype=torch.float64))
    train(model, lambda m, b: m(b).square().mean((1, 2, 3)), batches, training(steps=5))
    assert torch.equal(model.map.b, kept)


def test_a_warm_up_longer_than_the_training_is_refused():
    with pytest.raises(ValidationError, match="warmup_steps must be <= steps = 2, got 3"):
        training(steps=2)


def test_an_optimiser_given_in_place_of_the_configured_one_is_scheduled_alike():
    ours, _ = trained([0], training("SGD", rate=0.05))
    rates = []

    class Recorded(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step()

    given = Transformer(SHAPE, generators([0])).double()
    noise = torch.Generator().manual_seed(11)
    data = torch.randn(40, 6, 2, generator=noise, dtype=torch.float64)
    indices = minibatches(40, 8, generators([0], purpose=1))
    optimizer = Recorded(given.parameters(), lr=0.05, weight_decay=0.1)
    train(given, error, (data[i] for i in indices), training("SGD"), optimizer=optimizer)
    assert_same_member(ours, 0, given)
    assert rates[2] == 0.05, "the end of the warm-up"
    assert min(rates[3:]) == rates[-1] > 0.1 * 0.05


def test_members_have_their_own_rates_under_a_given_optimiser_whatever_its_own_rates():
    seeds = [2, 0, 4]
    rates = torch.tensor([RATES[seed] for seed in seeds], dtype=torch.float64)

    def sgd(model):
        first, *others = model.parameters()
        groups = [{"params": [first], "lr": 0.3}, {"params": others}]
        return torch.optim.SGD(groups, lr=0.07, weight_decay=0.1)

    together, _ = trained(seeds, training("SGD"), learning_rates=rates, optimizer=sgd)
    for k, seed in enumerate(seeds):
        alone, _ = trained([seed], training("SGD", rate=RATES[seed]))
        assert_same_member(together, k, alone)
