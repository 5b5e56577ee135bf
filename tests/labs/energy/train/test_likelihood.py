import torch

from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.energy.data.point_sets import PointSetConfig
from pipeline.labs.energy.train import likelihood
from pipeline.labs.energy.train.likelihood import LikelihoodCell, LikelihoodConfig

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
    fits = likelihood.fit_cell(LikelihoodCell(name="far", config=LIKELIHOOD), lambda: None)
    assert (fits.losses["energy"] > fits.losses["em"] + 0.5).all()
    assert (fits.losses["energy_origin"] < fits.losses["em"] + 0.2).all()
    model, history = fits.models["energy"]
    assert model.members == 2
    assert history.values["loss"].shape == (3, 2)
    assert (fits.means["energy_origin"].mean(1)[:, 0] > 5).all()


def test_a_seed_fits_the_same_beside_others_as_alone():
    training = LIKELIHOOD.training.model_copy(update={"steps": 20})
    both = LIKELIHOOD.model_copy(update={"training": training, "em_steps": 10})
    alone = both.model_copy(update={"seeds": (1,)})
    first, second = (
        likelihood.fit_cell(LikelihoodCell(name="ring", config=config), lambda: None)
        for config in (both, alone)
    )
    for name, losses in second.losses.items():
        # Batched products of another number of members round differently; 20 steps carry it on.
        torch.testing.assert_close(first.losses[name][1:], losses, rtol=0, atol=1e-9)
