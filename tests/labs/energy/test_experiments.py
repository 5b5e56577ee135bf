"""E4, E5, E6 and E8 as experiments: what they find on small cases with known answers."""

import math

import pytest
import torch

from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.energy import landscape, likelihood_training, phases, retrieval
from pipeline.labs.energy.landscape import LandscapeConfig
from pipeline.labs.energy.likelihood_training import LikelihoodCell, LikelihoodConfig
from pipeline.labs.energy.phases import PhaseConfig
from pipeline.labs.energy.pointsets import PointSetConfig
from pipeline.labs.energy.retrieval import RetrievalConfig

RETRIEVAL = RetrievalConfig(
    seeds=(0, 1), d=16, patterns=16, clusters=4, similarities=(0.0, 0.5), noises=(0.0, 0.3),
    betas=(0.7, 30.0), gammas=(0.5, 2.0, 2.5), states=32,
)  # fmt: skip
PHASES = {
    "seeds": (0, 1, 2), "d": 64, "patterns": 32, "clusters": 4, "betas": (1.0, 24.0, 400.0),
    "similarities": (0.0, 0.9), "global_above": 0.9, "single_below": 1.1, "branch_low": 1.0,
    "branch_high": 60.0, "branch_betas": 40, "tolerance": 1e-8, "max_steps": 2000,
}  # fmt: skip
LANDSCAPE = LandscapeConfig(
    patterns=((1.0, 0.0), (-1.0, 0.0)), betas=(0.5, 4.0), window=(-1.5, 1.5), grid=12, starts=2,
    gamma=0.3, path_steps=5, tolerance=1e-10, max_steps=5000, merge=1e-3,
)  # fmt: skip


def test_steps_up_to_two_never_rise_and_larger_ones_do():
    found = retrieval.descent(RETRIEVAL)
    assert found.uphill.shape == (3, 2)
    assert (found.uphill[:2] == 0).all()
    assert (found.uphill[2] > 0.5).all()
    # Energies up to 8 / 0.7 round at 1e-14.
    assert (found.excess[:2] < 1e-13).all()


def test_no_query_breaks_the_bound_and_attention_is_torchs():
    queries = retrieval.one_step(RETRIEVAL)
    assert (queries.error <= queries.bound + 1e-14).all()
    assert (queries.beta_delta > 0).all()
    assert (retrieval.attention_difference(RETRIEVAL) < 1e-14).all()


def test_the_three_kinds_of_fixed_points_appear_where_they_must():
    found = phases.diagram(PhaseConfig(**PHASES))
    whole, some, one = found.fraction
    assert (found.fraction.sum(0) - 1).abs().max() < 1e-12
    assert (whole[:, 0] == 1).all()  # nothing to tell apart at beta 1
    assert (one[:, 2] == 1).all()
    assert one[0, 1] == 1  # separate patterns are told apart,
    assert some[1, 1] == 1  # clusters only as clusters, of 32 / 4 patterns
    assert found.effective[1, 1] == pytest.approx(8, rel=0.1)


def test_both_branches_coexist_between_their_ends_and_cross_near_two_log_n():
    config = PhaseConfig(**PHASES)
    found = phases.branches(config)
    assert (found.down_stays < found.up_stays).all()
    assert (found.equal > found.down_stays).all()
    assert (found.equal < found.up_stays).all()
    # The theory takes the average as the origin and the pattern as itself: orders beta / d off.
    theory = phases.equal_energy_theory(config)
    assert theory == pytest.approx(2 * math.log(32), abs=1e-12)
    assert (found.equal - theory).abs().max() < 0.15 * theory


def test_a_seed_has_the_same_branches_beside_others_as_alone():
    together = phases.branches(PhaseConfig(**PHASES))
    alone = phases.branches(PhaseConfig(**(PHASES | {"seeds": (2,)})))
    # States settle until all of them do: to the tolerance of 1e-8.
    torch.testing.assert_close(together.energy[:, 2:], alone.energy, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clusters": 5}, "clusters must divide patterns, got 5 and 32"),
        ({"branch_low": 70.0}, "branch_low must be < branch_high, got 70"),
    ],
)
def test_phase_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PhaseConfig(**(PHASES | changes))


def test_two_patterns_have_one_basin_when_hot_and_two_halves_when_cold():
    hot, cold = (landscape.landscape(LANDSCAPE, beta) for beta in LANDSCAPE.betas)
    assert len(hot.attractors) == 1
    assert hot.attractors.abs().max() < 1e-6
    assert len(cold.attractors) == 2
    left, right = cold.basin[:, :6], cold.basin[:, 6:]
    assert left.unique().numel() == right.unique().numel() == 1
    assert left[0, 0] != right[0, 0]
    # x = tanh(4 x) has its root at 0.9993.
    assert cold.attractors[:, 0].abs() == pytest.approx(torch.full((2,), 0.99933), abs=1e-4)
    assert hot.paths.shape == (6, 4, 2)


SETS = {
    "ring": PointSetConfig(shape="ring", radius=3.0, noise=1.0, centre=(0.0, 0.0)),
    "far": PointSetConfig(shape="ring", radius=3.0, noise=1.0, centre=(8.0, 0.0)),
}
LIKELIHOOD = LikelihoodConfig(
    seeds=(0, 1), sets=SETS, train_points=200, test_points=300, patterns=5, beta=1.0, restarts=2,
    em_steps=40, quadrature_points=301,
    training=TrainingConfig(
        steps=120, batch_size=64, clip_norm=None, dtype="float64", record_every=40,
        optimizer=OptimizerConfig(name="Adam", learning_rate=0.05, options={}, schedule="cosine",
                                  final_fraction=0.01, warmup_steps=0),
    ),
)  # fmt: skip


def test_away_from_the_origin_tied_weights_cost_and_a_learned_origin_mends_it():
    fits = likelihood_training.fit_cell(LikelihoodCell(name="far", config=LIKELIHOOD), lambda: None)
    assert (fits.losses["energy"] > fits.losses["em"] + 0.5).all()
    assert (fits.losses["energy_origin"] < fits.losses["em"] + 0.2).all()
    model, history = fits.models["energy"]
    assert model.members == 2
    assert history.values["loss"].shape == (3, 2)
    assert fits.means["energy_origin"].mean(0)[0] > 5


def test_a_seed_fits_the_same_beside_others_as_alone():
    training = LIKELIHOOD.training.model_copy(update={"steps": 20})
    both = LIKELIHOOD.model_copy(update={"training": training, "em_steps": 10})
    alone = both.model_copy(update={"seeds": (1,)})
    first, second = (
        likelihood_training.fit_cell(LikelihoodCell(name="ring", config=config), lambda: None)
        for config in (both, alone)
    )
    for name, losses in second.losses.items():
        # Batched products of another number of members round differently; 20 steps carry it on.
        torch.testing.assert_close(first.losses[name][1:], losses, rtol=0, atol=1e-9)


def test_closed_forms_are_exact_and_the_printed_one_is_not():
    found = likelihood_training.identities(LIKELIHOOD)
    assert (found["log_z_difference"] < 1e-10).all()
    assert (found["gradient_difference"] < 1e-12).all()
    assert (found["essay_difference"] > 0.1).all()
