import itertools
import math
import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError

from pipeline.core.training.optimizers import (
    ELEMENTWISE,
    OptimizerConfig,
    build,
    check_options,
    schedule_factor,
)

PLAIN = {
    "name": "AdamW",
    "learning_rate": 0.01,
    "options": {},
    "schedule": "cosine",
    "final_fraction": 0.0,
    "warmup_steps": 0,
}
# A cosine and a few products of numbers below one.
ROUNDING = 1e-15


def config(**changes):
    return OptimizerConfig(**{**PLAIN, **changes})


@pytest.mark.parametrize("final", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("warmup", [0, 10])
@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_schedule_falls_from_one_to_the_final_fraction(schedule, warmup, final):
    chosen = config(schedule=schedule, warmup_steps=warmup, final_fraction=final)
    factors = [schedule_factor(chosen, step, 110) for step in range(warmup, 111)]
    assert factors[0] == 1
    assert factors[-1] == pytest.approx(final, abs=ROUNDING)
    assert all(a >= b for a, b in itertools.pairwise(factors))


def test_the_middle_of_either_schedule_is_half_way():
    for schedule in ("linear", "cosine"):
        chosen = config(schedule=schedule, final_fraction=0.2, warmup_steps=20)
        assert schedule_factor(chosen, 60, 100) == pytest.approx(0.6, abs=ROUNDING)


def test_the_cosine_is_a_cosine():
    for step in range(100):
        expected = math.cos(math.pi * step / 200) ** 2
        assert schedule_factor(config(), step, 100) == pytest.approx(expected, abs=ROUNDING)


def test_a_constant_schedule_is_constant():
    chosen = config(schedule="constant", final_fraction=1.0)
    assert {schedule_factor(chosen, step, 10) for step in range(10)} == {1.0}


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_the_warm_up_rises_linearly_to_one_from_above_zero(schedule):
    chosen = config(schedule=schedule, warmup_steps=4)
    rise = [schedule_factor(chosen, step, 100) for step in range(5)]
    assert rise == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_a_warm_up_as_long_as_the_training_is_a_rise_alone():
    chosen = config(warmup_steps=10)
    assert [schedule_factor(chosen, step, 10) for step in (0, 9)] == [0.1, 1.0]


@pytest.mark.parametrize(
    "name", ["LBFGS", "Muon", "Adafactor", "Rprop", "ASGD", "Adamw", "Optimizer", "__doc__"]
)
def test_an_optimiser_that_couples_members_or_ignores_rates_or_is_unknown_is_refused(name):
    with pytest.raises(ValidationError, match="must be an element-wise optimiser of torch"):
        config(name=name)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_known_optimiser_is_torch_s_and_takes_the_rate(name):
    weight = torch.zeros(2, 3, requires_grad=True)
    built = build(config(name=name), [weight])
    assert type(built) is getattr(torch.optim, name)
    assert [group["lr"] for group in built.param_groups] == [0.01]


def test_options_reach_the_optimiser():
    weight = torch.zeros(2, requires_grad=True)
    built = build(config(name="SGD", options={"momentum": 0.9}), [weight])
    assert built.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD", "Adagrad"])
def test_a_strided_parameter_is_refused_where_a_fused_kernel_would_step_it_wrongly(name):
    strided = torch.zeros(3, 2).T.requires_grad_()
    complaint = rf"{name} needs contiguous parameters, got one of shape \(2, 3\) with strides"
    with pytest.raises(ValueError, match=complaint):
        build(config(name=name), [torch.zeros(2, requires_grad=True), strided])


def test_pairs_reach_the_optimiser_too():
    built = build(config(name="Adam", options={"betas": (0.8, 0.95)}), [torch.zeros(1)])
    assert built.param_groups[0]["betas"] == (0.8, 0.95)
    written = config(name="Adam", options={"betas": (0.8, 0.95)}).model_dump(mode="json")
    assert list(written["options"]["betas"]) == [0.8, 0.95]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"momentum": 0.9}, r"AdamW does not take options \{'momentum': 0.9\}"),
        ({"lr": 0.1}, "AdamW does not take options"),
        ({"weight_decay": (0.1, 0.2)}, "AdamW does not take options"),
        ({"betas": (0.9, 1.5)}, "Invalid beta parameter"),
        ({"betas": (0.9,)}, r"must be a number or a pair of numbers, got \(0.9,\)"),
        ({"momentum": "much"}, "must be a number or a pair of numbers, got 'much'"),
        ({"foreach": 1.0}, "AdamW does not take options"),
        ({"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
    ],
)
def test_options_that_the_optimiser_does_not_take_are_a_fault_of_the_config(options, complaint):
    with pytest.raises(ValidationError, match=complaint):
        config(options=options)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"weight_decay": 0.1}, {"weight_decay": -1.0}, {"betas": (0.9, 0.95)}, {"betas": 0.9},
        {"betas": (0.9, 1.5)}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": 1.0},
        {"nesterov": 1.0}, {"eps": -1.0}, {"rho": 2.0}, {"foreach": 1.0}, {"differentiable": 1.0},
        {"no_such": 1.0},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_options_are_judged_as_the_optimiser_itself_would(name, options):
    # Without its validation, so that both judge.
    asked = OptimizerConfig.model_construct(**{**PLAIN, "name": name, "options": options})

    def verdict(judge):
        try:
            judge()
        except ValueError as error:
            return str(error)
        return None

    expected = verdict(lambda: build(asked, [torch.zeros(1)]))
    assert verdict(lambda: check_options(asked)) == expected


def test_reading_an_optimiser_does_not_import_torchs_compiler():
    code = (
        "import sys; from pipeline.core.training.optimizers import OptimizerConfig\n"
        f"OptimizerConfig(**{PLAIN!r})\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
