"""What DVC's tables show of the lab: few numbers, and no name that DVC takes for a failure."""

from importlib import import_module

import pytest

from pipeline.runtime import artifacts, dag, results

STAGES = [
    f"oscillator_{name}"
    for name in (
        "regression", "measure_time", "measure_fixed", "measure_sequence", "measure_variable",
        "measure_recipe", "measure_robustness",
    )
]  # fmt: skip


def keys(tree):
    for key, value in tree.items():
        yield key
        if isinstance(value, dict):
            yield from keys(value)


def test_the_lab_s_headline_is_at_most_twenty_values_without_their_intervals(chain):
    headlines = [artifacts.read_json(chain.made(stage) / "metrics.json") for stage in STAGES]
    places = [place for headline in headlines for place in headline]
    assert len(places) <= 20
    assert not [place for place in places if place.endswith(("_low", "_high", ".n"))]


@pytest.mark.parametrize("stage", STAGES)
def test_every_pattern_of_a_headline_names_a_number_of_the_shipped_params(chain, stage):
    measured = chain.metrics(stage)
    for pattern in import_module(dag.module(stage)).HEADLINE:
        assert results.headline(measured, [pattern]), pattern


@pytest.mark.parametrize("stage", STAGES)
def test_no_key_is_the_word_by_which_dvc_marks_a_failure(chain, stage):
    assert "error" not in keys(chain.metrics(stage))
