from pipeline.labs.oscillator.report.results import greatest_n


def test_n_is_the_greatest_number_of_seeds_of_the_experiment():
    results = {"O5": {"model": {"r50": 1.0, "n": 3}, "dmd": {"n": 1}}, "O7": {"other": {"n": 9}}}
    assert greatest_n(results, "O5") == 3
