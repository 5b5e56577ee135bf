from pipeline.figures.memory import labels
from pipeline.labs.memory.models.attention import SkipsConfig
from pipeline.labs.memory.train.variants import OBJECTIVES, admissible_skips


def test_combinations_are_named_by_their_parts():
    assert labels.named("residual+pos_QK", labels.SKIPS) == "residual, positions in QK"
    assert labels.named("nothing", labels.FREEZES) == "nothing"


def test_a_name_of_the_users_own_is_spelt_out():
    assert labels.named("my_freeze", labels.FREEZES) == "my freeze"


def test_everything_that_the_lab_names_has_words():
    assert labels.SKIPS.keys() == {"none", *SkipsConfig.model_fields}
    assert all("_" not in labels.named(name, labels.SKIPS) for name in admissible_skips())
    assert tuple(labels.OBJECTIVES) == OBJECTIVES


def test_values_are_listed_once_in_their_order():
    assert labels.listed([10, 7, 10]) == "7, 10"


def test_seeds_are_counted():
    assert labels.seeds([5, 5]) == "5 seeds"
    assert labels.seeds([1]) == "1 seed"
    assert labels.seeds([3, 5]) == "3 to 5 seeds"
