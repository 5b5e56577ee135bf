"""Small models for the tests."""

from pipeline.labs.memory.models.attention import (
    AttentionMemoryConfig,
    FreezeConfig,
    InitialConfig,
    SkipsConfig,
)

KEYS = ("residual", "pos_QK", "emb_QK", "pos_OV", "emb_OV")
PARTS = ("E", "P", "QKV", "O", "U")


def skips(*on):
    return SkipsConfig(**{key: key in on for key in KEYS})


def freeze(*on):
    return FreezeConfig(**{key: key in on for key in PARTS})


def config(**changes):
    plain = {
        "N": 6, "d": 4, "d_head": 4, "n_heads": 3, "patterns_per_head": 1, "n_layers": 1,
        "mlp_width": 0, "mlp_depth": 1, "norm": False, "skips": skips(), "freeze": freeze(),
        "initial": InitialConfig(embedding=1.0, OV=1.0),
    }  # fmt: skip
    return AttentionMemoryConfig(**(plain | changes))
