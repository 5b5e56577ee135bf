"""What DVC's tables show: few numbers a lab, and no name that DVC takes for a failure."""

import pytest

from pipeline.__main__ import ROOT
from pipeline.runtime import artifacts, dag, results

LABS = ("oscillator", "memory", "conjunction", "energy")
STAGES = [name for name in dag.stage_names(ROOT) if hasattr(dag.stage_module(name), "HEADLINE")]


def keys(tree):
    for key, value in tree.items():
        yield key
        if isinstance(value, dict):
            yield from keys(value)


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_s_headline_is_at_most_twenty_values_without_their_intervals(chain, lab):
    stages = [stage for stage in STAGES if stage.startswith(lab)]
    headlines = [artifacts.read_json(chain.made(stage) / "metrics.json") for stage in stages]
    places = [place for headline in headlines for place in headline]
    assert 0 < len(places) <= 20
    assert not [place for place in places if place.endswith(("_low", "_high", ".n"))]


@pytest.mark.parametrize("stage", STAGES)
def test_every_pattern_of_a_headline_names_a_number_of_the_shipped_params(chain, stage):
    measured = chain.metrics(stage)
    for pattern in dag.stage_module(stage).HEADLINE:
        assert results.headline(measured, [pattern]), pattern


@pytest.mark.parametrize("stage", STAGES)
def test_no_key_is_the_word_by_which_dvc_marks_a_failure(chain, stage):
    assert "error" not in keys(chain.metrics(stage))
