from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.runtime.formats import saved_models

STAGE = "memory_train_mechanism"


def test_three_models_are_kept_two_of_them_without_the_residual(chain):
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", AttentionMemory)
    assert {n: m.config.skips.residual for n, m in models.items()} == {
        "maps": True,
        "heads": True,
        "superposition": False,
    }
