import pandas as pd

STAGE = "memory_measure_divergence"


def test_metrics_are_keyed_by_experiment_and_condition(chain):
    metrics = chain.metrics(STAGE)
    assert set(metrics) == {"M1", "M2", "M3", "M4"}
    assert {"certain_baselines", "uncertain_next_token"} <= set(metrics["M1"])
    assert len(metrics["M4"]) == 18


def test_no_model_is_below_the_low_rank_optimum_nor_the_optimum_above_uniform(chain):
    table = pd.read_csv(chain.made(STAGE) / "scaling.csv")
    assert len(table) == 30
    assert bool((table.low_rank_divergence <= table.uniform_divergence).all())
    baselines = chain.metrics(STAGE)["M1"]["uncertain_baselines"]
    assert 0 <= baselines["low_rank"] <= baselines["uniform"]


def test_published_losses_of_other_sizes_are_not_compared(chain):
    # The small scale has N = 12; the published table is of N = 100.
    assert bool(pd.read_csv(chain.made(STAGE) / "scaling.csv").published_divergence.isna().all())
    assert chain.metrics(STAGE)["M3"]["all"] == {}


def test_the_sizes_have_laws_and_the_notebook_s_own_point(chain):
    metrics = chain.metrics(STAGE)["M3"]
    assert {"along_N", "along_d", "along_N_early", "notebook_point"} <= set(metrics)
    N = chain.params("memory_data").distributions.sizes_100.N
    base = chain.params("memory_train_sizes").sizes.base
    own = metrics[f"N{N}_d{base.d}_h{base.n_heads}_w0_l1"]
    assert metrics["notebook_point"]["divergence"] == own["divergence"]
    table = pd.read_csv(chain.made(STAGE) / "sizes.csv")
    assert set(table.axis) == {"N", "d", "n_heads", "mlp_width", "n_layers"}


def test_positions_are_among_the_parts_that_are_frozen_alone(chain):
    metrics = chain.metrics(STAGE)["M2"]
    assert "P" in metrics
    assert metrics["alone"]["parts"] == 5
