from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.figures.conjunction.names import MODELS, task_words, tasks_words, variant_words, words
from pipeline.labs.conjunction.models.attention import AttentionRecipe
from pipeline.labs.conjunction.train.curves import AttentionCurve
from pipeline.labs.conjunction.train.fit import AttentionFit

OPTIMIZER = OptimizerConfig(
    name="Adam", learning_rate=0.01, options={}, schedule="constant", final_fraction=1.0,
    warmup_steps=0,
)  # fmt: skip
TUTORIAL = AttentionRecipe(d_head=2, queries="tokens", readout="each", bias=False, init_std=0.001)


def curve(**changes):
    fit = AttentionFit(
        model=TUTORIAL.model_copy(update=changes), steps=1, optimizer=OPTIMIZER, dtype="float64",
        record_every=1,
    )  # fmt: skip
    return AttentionCurve(
        seeds=(0,), members_per_cell=1, sizes_per_doubling=2, first_samples={8: 1, 16: 1},
        max_samples=4, stop_above=None, fit=fit,
    )  # fmt: skip


def test_a_name_that_is_not_ours_is_shown_without_underscores():
    assert words(MODELS, "mlp") == "MLP"
    assert words(MODELS, "my_own_model") == "my own model"


def test_a_task_is_told_by_its_numbers(task):
    assert task_words(task) == "AND of 2 of 5 bits (rule bit), balanced"
    plain = task.model_copy(update={"function": "sparse_and", "p": 0.7937005, "targets": 3})
    assert task_words(plain) == "AND of 3 of 6 bits, P(1) = 0.794"


def test_tasks_that_read_alike_keep_their_names(task):
    other = task.model_copy(update={"tolerance": 0.1})
    third = task.model_copy(update={"targets": 1})
    assert tasks_words({"strict_one": other, "b": task, "c": third}) == {
        "strict_one": "strict one: AND of 2 of 5 bits (rule bit), balanced",
        "b": "b: AND of 2 of 5 bits (rule bit), balanced",
        "c": "AND of 1 of 5 bits (rule bit), balanced",
    }


def test_a_variant_is_told_with_the_numbers_that_it_changes():
    variants = {
        "tutorial": curve(),
        "wider": curve(d_head=5),
        "larger_init": curve(init_std=0.3),
        "one_query": curve(queries="cls"),
        "my_own": curve(d_head=3, init_std=0.2),
    }
    assert variant_words(variants) == {
        "ablated_tutorial": "as in the tutorial",
        "ablated_wider": "wider queries and keys, width = 5",
        "ablated_larger_init": "larger initial values, std = 0.3",
        "ablated_one_query": "one query (CLS)",
        "ablated_my_own": "my own, width = 3, std = 0.2",
    }
    assert variant_words({"wider": curve(d_head=5)}) == {"ablated_wider": "wider queries and keys"}
