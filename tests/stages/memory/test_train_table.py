import pandas as pd

from pipeline.runtime.formats import artifacts

STAGE = "memory_train_table"


def test_every_distribution_has_a_row_and_a_run(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    assert len(table) == 30
    assert len(set(zip(table.alpha_1, table.alpha_2, strict=True))) == 30
    runs = artifacts.read_json(chain.made(STAGE) / "models.json")
    assert len({run["name"] for run in runs}) == 30


def test_the_columns_are_the_notebooks_and_more(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    sizes = {"N", "d", "mlp_width", "n_layers", "patterns_per_head", "n_heads"}
    measured = {"alpha_1", "alpha_2", "divergence", "uniform_divergence"} | sizes
    assert measured | {"seed", "parameters", "eval_distribution"} <= set(table)
