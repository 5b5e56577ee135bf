import numpy as np

from labs.energy.measure.test_phases import PHASES
from pipeline.labs.energy.measure import phases as measure
from pipeline.labs.energy.report import phases


def test_results_and_arrays_say_what_was_measured():
    config = measure.PhaseConfig(**PHASES)
    diagram, branches = measure.diagram(config), measure.branches(config)
    results = phases.results(config, diagram, branches)
    assert results["similarity_0"]["global_to"] == 1.0
    assert results["similarity_0.9"]["metastable_from"] == 24.0
    ends = results["hysteresis"]
    assert ends["global_branch_ends"] == branches.global_ends.median().item()
    assert ends["single_branch_ends"] == branches.single_ends.median().item()
    assert results["equal_energy"]["n"] == len(config.seeds)
    arrays = phases.arrays(config, diagram, branches)
    np.testing.assert_array_equal(arrays.fraction, diagram.fraction)
    np.testing.assert_array_equal(arrays.branch_number[:, 0], branches.number.median(1).values)
    np.testing.assert_array_equal(arrays.branch_energy[:, 1], branches.energy.amin(1))
