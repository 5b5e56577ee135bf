"""The two engines of training, as params.yaml gives them: ``engine`` says which keys stand beside.

*full_batch* gives every step the whole distribution. *minibatch* is the study's protocol: contexts
sampled once, passed over several times, and accuracy on those very contexts, averaged over the
last batches.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.bounds import MOST_STEPS, Count, Steps, refuse_large
from pipeline.config import ConfigError, Section
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.models.attention import AttentionMemoryConfig, InitialConfig

Dtype = Literal["float32", "float64"]
BYTES = {"float32": 4, "float64": 8}
GIB = 2**30


class OneEngine(Section):
    """What both engines have beside keys of their own."""

    optimizer: OptimizerConfig
    initial: InitialConfig
    dtype: Dtype
    record_every: Steps

    @model_validator(mode="before")
    @classmethod
    def _keys_are_of_one_engine(cls, keys: Any) -> Any:
        fields, others = set(cls.model_fields), set(keys) - set(cls.model_fields)
        # The word alone was changed: neither a list of unknown keys nor of missing ones says how.
        if "engine" in keys and fields - set(keys) and len(others) > 1:
            raise ValueError(
                f"engine: {keys['engine']} has other keys than {', '.join(sorted(others))}: name "
                f"its preset, {{preset: {keys['engine']}}}"
            )
        return keys


class FullBatchConfig(OneEngine):
    """Steps on the whole distribution; ``memory_gib`` is what a step may take.

    The accuracy on the train distribution is over ``eval_contexts`` contexts, drawn as the other
    engine draws its batches.
    """

    engine: Literal["full_batch"]
    steps: Steps
    eval_contexts: Count
    memory_gib: Annotated[float, Field(gt=0, le=1024)]

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> "FullBatchConfig":
        refuse_long_warmup(self.optimizer, self.steps)
        return self

    def training(self) -> TrainingConfig:
        """Return the protocol for the trainer."""
        # The trainer takes batches as they come; their size is the number of contexts.
        return TrainingConfig(
            steps=self.steps, batch_size=1, optimizer=self.optimizer, clip_norm=None,
            dtype=self.dtype, record_every=self.record_every,
        )  # fmt: skip

    def needed_gib(self, model: AttentionMemoryConfig, members: int) -> float:
        """Return the memory that a step takes, by the engine's own estimate."""
        item = BYTES[self.dtype]
        needed = full_batch.bytes_needed(model.N, model.n_patterns, members, model.mlp_width, item)
        return needed / GIB

    def excess(self, model: AttentionMemoryConfig, members: int) -> float:
        """Return what a step needs over what it may take."""
        return self.needed_gib(model, members) / self.memory_gib

    def refuse_too_large(self, model: AttentionMemoryConfig, members: int) -> None:
        """Raise ConfigError if a step needs more memory than it may take."""
        if self.excess(model, members) > 1:
            raise ConfigError(
                f"params.yaml: memory: the full-batch engine needs about "
                f"{self.needed_gib(model, members):.1f} GiB at N = {model.N}, attention patterns = "
                f"{model.n_patterns}, members = {members}, and memory_gib is {self.memory_gib:g}: "
                "raise it, or train by engine: minibatch"
            )


class MinibatchConfig(OneEngine):
    """``batches_per_epoch`` batches of ``batch_size`` contexts, sampled once.

    The accuracy on the train distribution is the mean over the last ``eval_batches`` steps.
    """

    engine: Literal["minibatch"]
    batches_per_epoch: Count
    batch_size: Count
    epochs: Count
    eval_batches: Steps

    @model_validator(mode="after")
    def _steps_are_enough(self) -> "MinibatchConfig":
        refuse_large("batches_per_epoch * batch_size", self.batches_per_epoch, self.batch_size)
        if self.steps > MOST_STEPS:
            raise ValueError(
                f"batches_per_epoch * epochs must be <= {MOST_STEPS:g} steps, got {self.steps}"
            )
        if self.eval_batches > self.steps:
            raise ValueError(
                f"eval_batches must not exceed batches_per_epoch * epochs = {self.steps}, "
                f"got {self.eval_batches}"
            )
        refuse_long_warmup(self.optimizer, self.steps)
        return self

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return self.batches_per_epoch * self.epochs

    @property
    def eval_contexts(self) -> int:
        """Number of contexts that are sampled."""
        return self.batches_per_epoch * self.batch_size

    def training(self) -> TrainingConfig:
        """Return the protocol for the trainer."""
        return TrainingConfig(
            steps=self.steps, batch_size=self.batch_size, optimizer=self.optimizer, clip_norm=None,
            dtype=self.dtype, record_every=self.record_every,
        )  # fmt: skip

    def excess(self, model: AttentionMemoryConfig, members: int) -> float:  # noqa: ARG002
        """Return 0: a batch fits."""
        return 0.0

    def refuse_too_large(self, model: AttentionMemoryConfig, members: int) -> None:
        """Refuse nothing."""


def refuse_long_warmup(optimizer: OptimizerConfig, steps: int) -> None:
    """Raise ValueError if the learning rate would not have risen when training ends."""
    if optimizer.warmup_steps > steps:
        raise ValueError(
            f"optimizer.warmup_steps must not exceed the {steps} steps, "
            f"got {optimizer.warmup_steps}"
        )


EngineConfig = Annotated[FullBatchConfig | MinibatchConfig, Field(discriminator="engine")]
