import pandas as pd

STAGE = "memory_measure_mechanism"


def test_metrics_are_keyed_by_experiment(chain):
    metrics = chain.metrics(STAGE)
    assert set(metrics) == {"M5", "M6", "M7", "M8", "M9"}
    assert {"low_rank", "attention"} == set(metrics["M7"])
    ranks = chain.params("memory_data").distributions.rank.ranks
    expected = {f"{a}_rank{r}" for a in ("aligned", "unaligned") for r in ranks}
    assert set(metrics["M8"]) == expected


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
