import numpy as np

from pipeline.runtime import artifacts
from pipeline.stages.energy import _results

STAGE = "energy_continuous"


def test_steps_up_to_two_do_not_rise_and_attention_is_torchs(chain):
    found = chain.metrics(STAGE)["E4"]
    config = chain.params(STAGE).retrieval
    for gamma in config.gammas:
        if gamma <= 2:
            assert found[f"gamma_{gamma:g}"]["uphill_high"] == 0
    assert found["attention"]["difference_high"] < 1e-13
    assert found["one_step"]["bound_broken"] == 0


def test_the_kinds_of_fixed_points_share_out_each_place_of_the_diagram(chain):
    arrays = artifacts.read_npz(chain.made(STAGE) / "phases.npz", **_results.PHASES)
    np.testing.assert_allclose(arrays["fraction"].sum(0), 1, atol=1e-12)
    assert (arrays["fraction"] >= 0).all()


def test_basins_are_numbered_as_the_fixed_points(chain):
    chain.made(STAGE)
    betas = chain.params(STAGE).landscape.betas
    surfaces = _results.Results(chain.inputs).surfaces(betas)
    counts = [len(surface.attractors) for surface in surfaces]
    for surface, count in zip(surfaces, counts, strict=True):
        assert set(np.unique(surface.basin)) == set(range(count))
    assert [m["fixed_points"] for m in chain.metrics(STAGE)["E8"].values()] == counts
