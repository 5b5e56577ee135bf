import pandas as pd

STAGE = "memory_measure_mechanism"


def test_metrics_are_keyed_by_experiment(chain):
    metrics = chain.metrics(STAGE)
    assert set(metrics) == {"M5", "M6", "M7", "M8", "M9"}
    assert {"low_rank", "attention"} == set(metrics["M7"])
    distributions = chain.params("memory_data").distributions
    scales = [f"scale_{scale:g}" for scale in distributions.rank_scaled.logit_scales]
    names = [f"rank{rank}" for rank in distributions.rank.ranks] + scales
    expected = {f"{a}_{name}" for a in ("aligned", "unaligned") for name in names}
    assert set(metrics["M8"]) == expected
    scales = {f"scale_{scale:g}" for scale in distributions.almost_rank.logit_scales}
    assert set(metrics["M9"]) == scales | {"verdict", "printed", "transposed"}


def test_distances_are_between_zero_and_their_greatest(chain):
    table = pd.read_csv(chain.made(STAGE) / "geometry.csv")
    # sqrt(2 d) between subspaces of d = 5 dimensions.
    assert bool(
        table[["distance", "distance_to_W", "random"]]
        .apply(lambda c: c.between(0, 10**0.5))
        .all()
        .all()
    )


def test_the_theory_is_worse_with_the_notebooks_row_order(chain):
    table = pd.read_csv(chain.made(STAGE) / "theory.csv")
    assert bool((table.cosine > table.cosine_transposed).all())


def test_the_notebook_s_smallest_ratios_are_its_contexts_a_is_b(chain):
    printed = chain.metrics(STAGE)["M9"]["printed"]
    assert (printed["contexts"], printed["equal"], printed["separated"]) == (97, 9, 1.0)
    assert printed["equal_least"] > 1
    assert printed["equal_greatest"] == 1.1668
    assert printed["other_least"] == 1.2031
    table = pd.read_csv(chain.made(STAGE) / "ratios.csv")
    own = table[table.source != "printed"]
    equal = own["first"] == own.second
    assert (own.ratio == own.ratio_in_order)[equal].all()
