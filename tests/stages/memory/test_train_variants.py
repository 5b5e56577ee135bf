import pandas as pd

from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_variants"


def test_every_freeze_and_every_admissible_skip_is_trained(chain):
    freezes = len(chain.params(STAGE).variants.freezes)
    # 2 residuals times 3 views of QK times 3 of OV.
    assert_sweep(chain, STAGE, freezes + 18, {"uniform", "population", "train"})
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    assert table[table.experiment == "M4"].model.nunique() == 18
