"""Small engines for the tests."""

from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.memory.models.attention import InitialConfig
from pipeline.labs.memory.train.engines import FullBatchConfig, MinibatchConfig
from pipeline.labs.memory.train.parts import PartConfig

ADAM = OptimizerConfig(
    name="Adam", learning_rate=0.02, options={}, schedule="cosine", final_fraction=0.0,
    warmup_steps=0,
)  # fmt: skip
PLAIN = InitialConfig(embedding=1.0, OV=1.0)
SHARED = {"optimizer": ADAM, "initial": PLAIN, "dtype": "float64"}
KINDS = {
    "full_batch": (
        FullBatchConfig, {"steps": 60, "eval_contexts": 48, "record_every": 10, "memory_gib": 1.0}
    ),
    "part_batch": (
        PartConfig,
        {
            "steps": 60, "eval_contexts": 48, "record_every": 10, "memory_gib": 1.0,
            "first_tokens": 3, "muon": None,
        },
    ),
    "minibatch": (
        MinibatchConfig,
        {
            "batches_per_epoch": 6, "batch_size": 8, "epochs": 2, "eval_batches": 3,
            "record_every": 4,
        },
    ),
}  # fmt: skip


def engine(kind, **changes):
    """Return an engine; a change of the other engine's keys alone says nothing."""
    section, plain = KINDS[kind]
    of_other = {key for _, keys in KINDS.values() for key in keys} - plain.keys()
    chosen = {key: value for key, value in changes.items() if key not in of_other}
    return section(engine=kind, **(SHARED | plain | chosen))
