import pytest
import torch
from torch import nn

from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.models.attention import AttentionRecipe
from pipeline.labs.conjunction.models.mlp import BinaryMLPRecipe
from pipeline.labs.conjunction.train.fit import (
    AttentionFit,
    FitCell,
    FitConfig,
    MLPFit,
    accuracies,
    fit,
    losses,
)

TASK = TaskConfig(
    function="sparse_and_query",
    positions=7,
    targets=2,
    p=None,
    tolerance=0.2,
    identifiable=False,
    max_draws=100,
)
OPTIMIZER = OptimizerConfig(
    name="Adam", learning_rate=0.01, options={}, schedule="constant", final_fraction=1.0,
    warmup_steps=0,
)  # fmt: skip
COMMON = {"optimizer": OPTIMIZER, "dtype": "float64", "record_every": 5}
TUTORIAL = AttentionRecipe(d_head=2, queries="tokens", readout="each", bias=False, init_std=0.001)
FITS = {
    "linear": FitConfig(steps=12, **COMMON),
    "mlp": MLPFit(
        model=BinaryMLPRecipe(widths=(16,), dropout=0.2, init_std=0.02), steps=12, **COMMON
    ),
    "attention": AttentionFit(model=TUTORIAL, steps=12, **COMMON),
}
EVERY = pytest.mark.parametrize("name", FITS)


def train(name, seeds, **changes):
    config = FITS[name].model_copy(update=changes)
    data = draw_data(TASK, 40, 30, seeds)
    return fit(FitCell(name=name, config=config, seeds=seeds, data=data))


@EVERY
def test_a_member_is_its_seed_trained_alone(name):
    (both, together), (alone, single) = train(name, [3, 4]), train(name, [4])
    for key, value in both.state_dict().items():
        # The same operations; a product over stacked members may sum in another order.
        assert torch.allclose(value[1:], alone.state_dict()[key], rtol=0, atol=1e-10), key
    for key, value in together.values.items():
        assert torch.allclose(value[:, 1:], single.values[key], rtol=0, atol=1e-10), key


@EVERY
def test_training_twice_gives_the_same_bits(name):
    (one, first), (two, second) = train(name, [3, 4]), train(name, [3, 4])
    for key, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[key])
    assert all(torch.equal(first.values[key], second.values[key]) for key in first.values)


@EVERY
def test_training_lowers_every_members_loss(name):
    _, history = train(name, [0, 1, 2], steps=300, record_every=10)
    assert bool((history.values["loss"][-1] < history.values["loss"][0]).all())


def test_attention_trains_as_the_tutorials_own_loop():
    """T x T softmax for every sequence, sigmoid, BCELoss, torch's Adam: the same parameters."""
    seeds, steps = [5], 60
    model, history = train("attention", seeds, steps=steps)
    data = draw_data(TASK, 40, 30, seeds)
    start = FITS["attention"].build(7, generators(seeds)).double().state_dict()
    E, P, Q, K, V, r = plain = [
        nn.Parameter(start[key][0].clone())
        for key in ("W_E", "W_pos", "W_Q", "W_K", "W_V", "readout")
    ]
    optimizer = torch.optim.Adam(plain, lr=0.01)
    bits, labels = data.train[0].long(), label(data.train, data.targets)[0]
    for _ in range(steps):
        optimizer.zero_grad()
        x = E[bits] + P
        weights = (((x @ Q) @ (x @ K).transpose(1, 2)) * 2**-0.5).softmax(-1)
        output = torch.sigmoid((weights @ (x @ V))[..., 0] @ r)
        loss = nn.functional.binary_cross_entropy(output, labels)
        loss.backward()
        optimizer.step()
    # Rounding of 1e-16 is amplified by Adam, whose first steps divide by tiny gradients.
    assert float(history.values["loss"][-1]) == pytest.approx(float(loss.detach()), rel=1e-6)
    assert torch.allclose(model.W_E[0], E, rtol=1e-5, atol=1e-8)
    assert torch.allclose(model.readout[0], r, rtol=1e-5, atol=1e-8)


def test_the_mlp_trains_as_the_tutorials_own_loop():
    """nn.Sequential, sigmoid, BCELoss, torch's Adam: the same parameters (without dropout)."""
    seeds, steps = [5], 60
    recipe = BinaryMLPRecipe(widths=(16,), dropout=0.0, init_std=0.02)
    model, history = train("mlp", seeds, steps=steps, model=recipe)
    data = draw_data(TASK, 40, 30, seeds)
    plain = nn.Sequential(nn.Linear(7, 16), nn.GELU(), nn.Linear(16, 1), nn.Sigmoid()).double()
    start = mlp_start(recipe, seeds)
    with torch.no_grad():
        for layer, k in ((plain[0], 0), (plain[2], 1)):
            layer.weight.copy_(start[f"layers.{k}.W"][0].T)
            layer.bias.copy_(start[f"layers.{k}.b"][0])
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01)
    bits, labels = data.train[0], label(data.train, data.targets)[0]
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy(plain(bits)[:, 0], labels)
        loss.backward()
        optimizer.step()
    # As for attention: Adam's first steps divide by small gradients.
    assert float(history.values["loss"][-1]) == pytest.approx(float(loss.detach()), rel=1e-6)
    assert torch.allclose(model.layers[1].W[0].T, plain[2].weight, rtol=1e-5, atol=1e-8)


def mlp_start(recipe, seeds):
    config = FITS["mlp"].model_copy(update={"model": recipe})
    return config.build(7, generators(seeds)).double().state_dict()


@EVERY
def test_parameters_are_contiguous(name):
    # torch's fused Adam steps through a strided view as if it were dense, and says nothing.
    model = FITS[name].build(7, generators([0, 1]))
    assert all(parameter.is_contiguous() for parameter in model.parameters())


def test_losses_and_accuracies_are_of_each_member():
    logits = torch.tensor([[0.0, 2.0], [-1.0, 3.0]]).double()
    labels = torch.tensor([[1.0, 1.0], [0.0, 0.0]]).double()
    expected = nn.functional.binary_cross_entropy(logits.sigmoid(), labels, reduction="none")
    # Two roundings of a number below 4.
    assert torch.allclose(losses(logits, labels), expected.mean(1), rtol=0, atol=1e-14)
    assert accuracies(logits, labels).tolist() == [0.5, 0.5]


def test_every_step_sees_all_samples():
    assert FITS["mlp"].training(123).batch_size == 123
