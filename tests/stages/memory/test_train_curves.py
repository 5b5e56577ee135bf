import pandas as pd

STAGE = "memory_train_curves"


def test_both_objectives_are_trained_on_both_distributions(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    expected = {
        f"{distribution}_{o}"
        for distribution in ("certain", "uncertain")
        for o in ("divergence", "next_token")
    }
    assert set(table.model) == expected
    history = pd.read_csv(chain.made(STAGE) / "history.csv")
    assert set(history.model) == expected
    assert {"loss", "accuracy"} <= set(history)


def test_on_a_certain_distribution_the_objectives_are_one_and_the_same(chain):
    # What follows is a single token, so the divergence is the cross entropy of that token.
    table = pd.read_csv(chain.made(STAGE) / "table.csv").set_index("model")
    first, second = (
        table.loc[f"certain_{o}"].divergence.to_numpy() for o in ("divergence", "next_token")
    )
    assert first.tolist() == second.tolist()
