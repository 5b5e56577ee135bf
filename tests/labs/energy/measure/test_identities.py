from labs.energy.train.test_likelihood import LIKELIHOOD
from pipeline.labs.energy.measure import identities


def test_closed_forms_are_exact_and_the_printed_one_is_not():
    differences = identities.identities(LIKELIHOOD)
    assert (differences["log_z_difference"] < 1e-10).all()
    assert (differences["gradient_difference"] < 1e-12).all()
    assert (differences["essay_difference"] > 0.1).all()
