import numpy as np

from pipeline.labs.energy.report.landscape import Landscapes
from pipeline.labs.energy.report.phases import PhaseArrays
from pipeline.runtime.formats import records

STAGE = "energy_measure_continuous"


def test_steps_up_to_two_do_not_rise_and_attention_is_torchs(chain):
    results = chain.metrics(STAGE)["E4"]
    config = chain.params(STAGE).retrieval
    for gamma in config.gammas:
        if gamma <= 2:
            assert results[f"gamma_{gamma:g}"]["uphill_high"] == 0
    assert results["attention"]["difference_high"] < 1e-13
    assert results["one_step"]["bound_violations"] == 0


def test_the_kinds_of_fixed_points_share_out_each_place_of_the_diagram(chain):
    arrays = records.read_arrays(chain.made(STAGE) / "phases.npz", PhaseArrays)
    np.testing.assert_allclose(arrays.fraction.sum(0), 1, atol=1e-12)
    assert (arrays.fraction >= 0).all()


def test_basins_are_numbered_as_the_fixed_points(chain):
    landscapes = records.read_arrays(chain.made(STAGE) / "landscape.npz", Landscapes)
    assert tuple(landscapes.betas) == chain.params(STAGE).landscape.betas
    counts = landscapes.attractor_count.tolist()
    for basin, count in zip(landscapes.basin, counts, strict=True):
        assert set(np.unique(basin)) == set(range(count))
    assert [m["fixed_points"] for m in chain.metrics(STAGE)["E8"].values()] == counts
