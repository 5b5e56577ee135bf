from pipeline.labs.energy.measure import printed


def test_the_sign_of_the_gradient_never_lowers_the_energy_and_its_minus_never_raises_it():
    found = printed.sign_of_gradient((0, 1), d=40, load=0.1)
    assert found["gradient_rises"].tolist() == [1.0, 1.0]
    assert found["minus_rises"].tolist() == [0.0, 0.0]


def test_the_quadratic_energy_is_twice_the_classical_one_up_to_a_constant():
    found = printed.quadratic_energies((0, 1), d=16, count=4, states=20)
    assert found["twice"].tolist() == [0.0, 0.0]  # whole numbers, exactly
    assert (found["once"] > 0.5).all()
