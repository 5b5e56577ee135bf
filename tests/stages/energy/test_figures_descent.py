from stages.energy.test_figures import assert_drawn

STAGE = "energy_figures_descent"


def test_every_labs_models_have_their_figure(chain):
    names = ("e7_descent", "e7_descent_oscillator", "e7_descent_memory", "e7_nested")
    assert_drawn(chain.made(STAGE), names)
