"""O3: roll the models of one frequency out and measure their errors."""

from pathlib import Path

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.oscillator import datasets, measure
from pipeline.labs.oscillator.conservation import conservation
from pipeline.runtime import artifacts, saved_models
from pipeline.stages.oscillator._data import read_split
from pipeline.stages.oscillator._rollouts import write_rollouts

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """Nothing to set: the rollouts are as long as the test trajectories."""


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write the rollouts for the figures; return the metrics ``O3.gamma_0.*``."""
    models = saved_models.read_models(
        inputs / "oscillator_train_fixed" / "models.safetensors", Transformer
    )
    split = read_split(inputs, "fixed_test")
    tests, omega0 = datasets.by_gamma(split), datasets.by_gamma(split, "omega0")
    metrics, found = {}, {}
    for name, model in models.items():
        gamma = "_".join(name.split("_")[:2])  # gamma_0.1_study
        window, true = tests[gamma][:, :1], tests[gamma][:, 1:]
        predicted = measure.predict_rollouts(model, window, true.shape[1])
        error = measure.state_relative_error(predicted, true)
        at = f"step{true.shape[1]}"
        metrics[name] = summary(
            conservation(predicted, true, omega0[gamma])
            | {
                "one_step": error[:, :, 0].median(1).values,
                f"{at}_error": error[:, :, -1].median(1).values,
                f"r{true.shape[1]}": measure.rollout_error(predicted, true, true.shape[1]),
            }
        )
        found[name] = (predicted, true)
    write_rollouts(out / "rollouts.npz", found)
    artifacts.write_csv(out / "table.csv", table({"O3": metrics}))
    return {"O3": metrics}
