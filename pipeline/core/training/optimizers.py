"""Optimisers for stacked members, and schedules of their learning rate.

An optimiser of ``torch.optim`` that treats every element alone (Adam, SGD, ...) trains stacked
members exactly as it would train each one alone. One that mixes the elements of a parameter (LBFGS,
Muon, Adafactor) would couple the members, and is refused; so is one whose step is not proportional
to its learning rate (Rprop, ASGD), since schedules and the members' own rates scale it.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, model_validator
from torch import Tensor

from pipeline.bounds import MOST_STEPS, Rate
from pipeline.config import Section

ELEMENTWISE = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "SGD")
LARGEST_OPTION = 100  # a decay or momentum above it diverges at any rate that learns
LEAST_EPS = 1e-30  # below it a parameter without a gradient becomes 0 / 0 in float32
FUSED = ("Adam", "AdamW", "SGD", "Adagrad")


def known_optimizer(name: str) -> str:
    """Return the name of an element-wise optimiser of torch; ValueError for another."""
    if name not in ELEMENTWISE:
        raise ValueError(f"must be an element-wise optimiser of torch {ELEMENTWISE}, got {name!r}")
    return name


def known_option(value: Any) -> float | tuple[float, ...]:
    """Return a number, or a pair of numbers (Adam's betas); ValueError for anything else."""
    parts = value if isinstance(value, list | tuple) else [value]
    numbers = all(type(part) in (int, float) and math.isfinite(part) for part in parts)
    if not numbers or (parts is value and len(parts) != 2):
        raise ValueError(f"must be a number or a pair of numbers, got {value!r}")
    if any(abs(part) > LARGEST_OPTION for part in parts):
        raise ValueError(f"must be from -{LARGEST_OPTION} to {LARGEST_OPTION}, got {value!r}")
    return tuple(map(float, parts)) if parts is value else float(value)


def written_option(value: float | tuple[float, ...]) -> float | list[float]:
    """Return an option as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


Option = Annotated[
    float | tuple[float, float], PlainValidator(known_option), PlainSerializer(written_option)
]


class OptimizerConfig(Section):
    """An optimiser of torch by name, and how its learning rate falls.

    ``options`` are the optimiser's own keywords (``{weight_decay: 0.01, betas: [0.9, 0.95]}``). The
    schedule multiplies the learning rate by 1 -> ``final_fraction`` over the training, after a
    linear warm-up.
    """

    name: Annotated[str, AfterValidator(known_optimizer)]
    learning_rate: Rate
    options: Mapping[str, Option]
    schedule: Literal["constant", "linear", "cosine"]
    final_fraction: Annotated[float, Field(ge=0, le=1)]
    warmup_steps: Annotated[int, Field(ge=0, le=MOST_STEPS)]

    @model_validator(mode="after")
    def _takes_its_options(self) -> "OptimizerConfig":
        check_options(self)
        return self


def schedule_factor(config: OptimizerConfig, step: int, steps: int) -> float:
    """Return the factor on the learning rate at ``step`` of ``steps`` (the first step is 0)."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, steps - config.warmup_steps)
    if config.schedule == "linear":
        fall = 1 - progress
    elif config.schedule == "cosine":
        fall = (1 + math.cos(math.pi * progress)) / 2
    else:
        return 1.0
    return config.final_fraction + (1 - config.final_fraction) * fall


def build(config: OptimizerConfig, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """Make torch's optimiser of that name; ValueError if it does not take the options.

    Raises ValueError, too, for a parameter that is not contiguous: torch's fused kernels take its
    memory for that of a contiguous one, and step it wrongly without a word.
    """
    parameters = list(parameters)
    if config.name in FUSED:
        for parameter in parameters:
            if not parameter.is_contiguous():
                raise ValueError(
                    f"{config.name} needs contiguous parameters, got one of shape "
                    f"{tuple(parameter.shape)} with strides {parameter.stride()}"
                )
    return _made(getattr(torch.optim, config.name), config, parameters)


def check_options(config: OptimizerConfig) -> None:
    """Raise ValueError if torch's optimiser of that name does not take the options.

    The optimiser's own constructor judges them, on a group of parameters that is kept unread: what
    torch does with a group imports its compiler (1.6 s), which reading params.yaml does not need.
    """
    kind: Any = getattr(torch.optim, config.name)

    eps = config.options.get("eps", 1.0)
    if not isinstance(eps, float) or eps < LEAST_EPS:
        raise ValueError(f"options.eps must be >= {LEAST_EPS:g}, got {eps!r}")

    def add_param_group(self: Any, group: dict[str, Any]) -> None:
        self.param_groups.append(self.defaults | group | {"params": list(group["params"])})

    checked = type(config.name, (kind,), {"add_param_group": add_param_group})
    _made(checked, config, [torch.zeros(1)])


def _made(kind: Any, config: OptimizerConfig, parameters: list[Tensor]) -> torch.optim.Optimizer:
    keywords: dict[str, Any] = dict(config.options)
    if config.name in FUSED:
        keywords["fused"] = True  # one kernel a parameter: these models are bound by overhead
    try:
        return kind(parameters, lr=config.learning_rate, **keywords)
    except (TypeError, RuntimeError) as error:  # unknown, or at odds with a fused kernel
        raise ValueError(f"{config.name} does not take options {dict(config.options)}") from error
