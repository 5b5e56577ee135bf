"""What DVC's tables show: few numbers a lab, and no name that DVC takes for a failure."""

import pytest

from pipeline.__main__ import ROOT
from pipeline.runtime import dag, results, runner
from pipeline.runtime.formats import artifacts

LABS = ("oscillator", "memory", "conjunction", "energy")
STAGES = [name for name in dag.stage_names(ROOT) if hasattr(dag.stage_module(name), "HEADLINE")]


def keys(tree):
    for key, value in tree.items():
        yield key
        if isinstance(value, dict):
            yield from keys(value)


def of_last_run(stage, file):
    """Return a file that git holds of the last run at full scale."""
    return artifacts.read_json(ROOT / "data" / stage / file)


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_s_headline_is_at_most_twenty_values_without_their_intervals(lab):
    stages = [stage for stage in STAGES if stage.startswith(lab)]
    places = [place for stage in stages for place in of_last_run(stage, runner.METRICS)]
    assert 0 < len(places) <= 20
    assert not [place for place in places if place.endswith(("_low", "_high", ".n"))]


@pytest.mark.parametrize("stage", STAGES)
def test_a_headline_is_the_numbers_of_the_last_run_that_its_patterns_name(stage):
    measured = of_last_run(stage, runner.RESULTS)
    patterns = dag.stage_module(stage).HEADLINE
    for pattern in patterns:
        assert results.headline(measured, [pattern]), pattern
    assert of_last_run(stage, runner.METRICS) == results.headline(measured, patterns)


@pytest.mark.parametrize("stage", STAGES)
def test_no_key_is_the_word_by_which_dvc_marks_a_failure(chain, stage):
    assert "error" not in keys(chain.metrics(stage))
