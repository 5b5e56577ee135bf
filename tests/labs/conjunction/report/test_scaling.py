import numpy as np
import pandas as pd
import pytest

from pipeline.labs.conjunction.measure.sample_complexity import SampleComplexity
from pipeline.labs.conjunction.report import scaling
from pipeline.labs.conjunction.report.scaling import SampleComplexityRow, ScalingFitRow
from pipeline.runtime.formats import records


def needing(by_t, seeds=20):
    """Sample complexities by T; nan lies beyond a search of at most 256."""
    return [
        SampleComplexity(
            positions=t, samples=m,
            resampled=np.full(seeds, 256.0) if np.isnan(m) else m * np.linspace(0.9, 1.1, seeds),
        )
        for t, m in by_t.items()
    ]  # fmt: skip


KNOWN = needing({16: 32.0, 32: 64.0, 64: 128.0})
BEYOND = needing({16: 32.0, 32: 64.0, 64: np.nan})
ALONE = needing({16: 32.0, 32: np.nan})
MOST = needing({16: 32.0, 32: 128.0, 64: np.nan})


def test_the_results_name_each_t():
    results = scaling.summarise(KNOWN, MOST)
    assert results["exponent"] == pytest.approx(1)
    assert results["samples_T32_low"] <= results["samples_T32"] <= results["samples_T32_high"]
    assert results["samples_T64"] == 128
    assert results["slope_T32_T64"] == pytest.approx(1)
    assert results["most_exponent"] == pytest.approx(2)
    assert results["most_T32"] == 128
    assert results["most_T64_above"] == 256


def test_a_t_beyond_the_search_is_told_and_left_out_of_the_fits():
    results = scaling.summarise(BEYOND, BEYOND)
    assert results["samples_T64_above"] == 256
    assert "samples_T64" not in results
    assert results["exponent"] == pytest.approx(1)
    assert set(scaling.summarise(ALONE, ALONE)) == {
        f"{part}_{name}"
        for part in ("samples", "most")
        for name in ("T16", "T16_low", "T16_high", "T32_above")
    }


def test_resamples_beyond_the_search_are_told():
    censored = [
        SampleComplexity(positions=8, samples=4.0, resampled=np.ones(9), censored=0.25),
        SampleComplexity(positions=16, samples=4.0, resampled=np.ones(9), censored=0.02),
    ]
    results = scaling.by_positions("samples", censored)
    assert results["samples_T8_censored"] == 0.25
    assert "samples_T16_censored" not in results


def test_learners_are_set_against_the_head():
    head, twice = needing({16: 20.0, 64: 40.0}), needing({64: 60.0})
    by_learner = {"mlp": KNOWN, "cls_head": head, "added_l1": twice, "ablated_x": KNOWN}
    found = scaling.against_the_head(by_learner)
    assert set(found) == {"mlp_over_cls_head", "added_l1_over_cls_head"}
    assert found["mlp_over_cls_head"]["ratio_T16"] == pytest.approx(1.6)
    assert "is_competitive" not in found["mlp_over_cls_head"]
    assert found["added_l1_over_cls_head"]["is_competitive"] == 1
    by_learner["added_l1"] = needing({64: 80.0})  # twice the head's: the interval reaches above
    assert scaling.against_the_head(by_learner)["added_l1_over_cls_head"]["is_competitive"] == 0
    assert scaling.against_the_head({"mlp": KNOWN}) == {}
    assert [scaling.experiment(name) for name in by_learner] == ["C5", "C5", "C4", "C5"]


def test_the_tables_hold_what_is_known(tmp_path):
    by_learner = {"a": KNOWN, "b": BEYOND, "c": ALONE}
    needed = scaling.complexity_table(by_learner, {"a": MOST, "b": BEYOND, "c": ALONE})
    records.write_table(tmp_path / "needed.csv", needed, SampleComplexityRow)
    needed = records.read_table(tmp_path / "needed.csv", SampleComplexityRow)
    assert list(zip(needed.learner, needed.positions, strict=True)) == [
        ("a", 16), ("a", 32), ("a", 64), ("b", 16), ("b", 32), ("c", 16),
    ]  # fmt: skip
    assert list(needed.samples) == [32, 64, 128, 32, 64, 32]
    assert needed.most.tolist()[:2] == [32, 128]
    assert np.isnan(needed.most[2])
    fits = scaling.fit_table(by_learner, {"a": 8, "b": 12, "c": 4})
    records.write_table(tmp_path / "fits.csv", fits, ScalingFitRow)
    fits = records.read_table(tmp_path / "fits.csv", ScalingFitRow).set_index("learner")
    assert list(fits.seeds) == [8, 12, 4]
    assert list(fits.searched) == [3, 3, 2]
    assert list(fits.fitted) == [3, 2, 1]
    assert list(fits.exponent)[:2] == pytest.approx([1, 1])
    assert np.isnan(fits.exponent["c"])


def test_without_any_fit_the_table_can_be_read(tmp_path):
    fits = scaling.fit_table({"c": ALONE}, {"c": 4})
    records.write_table(tmp_path / "fits.csv", fits, ScalingFitRow)
    assert np.isnan(records.read_table(tmp_path / "fits.csv", ScalingFitRow).exponent[0])


def test_solved_fractions_are_split_by_the_sign_of_the_covariance():
    rows = [(64, 8, 0.5, 1.0), (64, 16, 1.0, 1.0), (64, 16, 0.5, -1.0), (64, 16, 0.5, 0.5),
            (32, 16, 1.0, -1.0)]  # fmt: skip
    points = pd.DataFrame(rows, columns=["positions", "samples", "accuracy", "covariance"])
    assert scaling.by_covariance(points, 0.99) == {
        "positions": 64, "n_positive": 2, "solved_positive": 0.5, "n_nonpositive": 1,
        "solved_nonpositive": 0.0,
    }  # fmt: skip
