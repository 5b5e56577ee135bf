import pytest

from figures.oscillator.made import shape, training
from pipeline.figures.oscillator import names

NAMES = names.Names(
    {"8la_32_16_nc": shape(), "mine": shape(8, 4, 1, True)},
    {"": training(), "_study": training("float32", "constant"), "_float32": training("float32")},
)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("8la_32_16_nc", "no mask, 8 layers of (32, 16)"),
        ("mine", "causal mask, 1 layer of (8, 4)"),
        ("not_aged", "without aged windows"),
        ("dmd", "in-context DMD (oracle)"),
        ("small_polished", "small linear attention, polished"),
        ("my_model_polished", "my model, polished"),
        ("a_model_of_my_own", "a model of my own"),
        ("gamma_0", r"$\gamma$ = 0 1/s, float64, cosine rate"),
        ("gamma_0.1_study", r"$\gamma$ = 0.1 1/s, float32, constant rate (study)"),
        ("gamma_0.1_float32", r"$\gamma$ = 0.1 1/s, float32, cosine rate"),
        ("gamma_ray", "gamma ray"),
    ],
)
def test_a_model_is_called_by_words(model, expected):
    assert NAMES(model) == expected


def test_a_user_s_shape_has_its_words_whatever_the_table_says():
    assert names.Names({"small": shape()}, {})("small") == "no mask, 8 layers of (32, 16)"


@pytest.mark.parametrize(
    ("omega0", "expected"),
    [((2.0, 2.0), r"$\omega_0$ = 2 rad/s"), ((1.0, 4.5), r"$\omega_0$ from 1 to 4.5 rad/s")],
)
def test_a_range_of_one_point_is_a_number(omega0, expected):
    assert names.frequencies(omega0) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"), [([1], "1 seed"), ([3, 3], "3 seeds"), ([5, 1, 3], "1 to 5 seeds")]
)
def test_counts_are_told_in_words(numbers, expected):
    assert names.count(numbers, "seed") == expected


def test_an_experiment_without_an_entry_shows_its_own_name():
    assert names.experiment("O7_ablation") == "O7  the recipe, one ingredient changed"
    assert names.experiment("my_own") == "my own"
