"""The real DAG at tiny scale: each stage runs once, when the first test asks for it."""

import shutil
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline import config
from pipeline.runtime import dag, fingerprint, smoke
from pipeline.runtime.compute import job, parallel
from pipeline.runtime.formats import artifacts
from pipeline.runtime.runner import write_results

ROOT = Path(__file__).resolve().parent.parent.parent
# Laid over the small scale of tests/small_params.yaml: what a second or two can compute.
TINY = {
    "presets": {
        "windows": {"train": 128, "valid": 8, "test": 4, "test_steps": 200},
        "cosine": {"steps": 10, "batch_size": 8, "record_every": 5},
        "study": {"steps": 4, "batch_size": 4, "record_every": 2},
        "recipe_training": {"steps": 4, "batch_size": 4, "record_every": 2},
        "softmax_recipe": {"d_model": 8, "n_layers": 2},
        "linear_recipe": {"training": {"steps": 6}},
        "small": {"d_model": 4},
        "short_training": {"steps": 3},
        "mlp_fit": {"steps": 4, "record_every": 2},
        "attention_fit": {"steps": 4, "record_every": 2},
        "cls_head_fit": {"steps": 4},
        "short_attention_fit": {"steps": 4},
    },
    "figures": {"style": {"dpi": 50, "font_size": 6.0, "panel_width": 2.4, "panel_height": 1.8}},
    "oscillator": {
        "fixed_data": {"train": 64, "test": 5, "test_steps": 12},
        "time_data": {"train": 64, "test": 4, "duration": 3.0},
        "train_time": {
            "training": {"steps": 6, "batch_size": 8, "record_every": 3},
            "model": {"widths": [8, 8]},
        },
        "train_sequence": {"training": {"steps": 4, "batch_size": 4, "record_every": 2}},
        "train_variable": {
            "models": {"la8_32_16_nc": {"d_model": 4, "d_head": 2, "n_layers": 2}},
        },
        "train_surrogate": {"windows": 4, "steps": 10},
        "polish": {"samples": 32, "optimizer": {"iterations": 2, "chunk": 20}},
        "robustness": {"trajectories": 3, "steps": 6},
        "measure": {"rollout_steps": [50, 200]},
    },
    "conjunction": {
        "plain_data": {"train": 60, "valid": 40},
        "accuracy_data": {
            group: {"train": 60, "valid": 60} for group in ("sparse", "dense", "text")
        },
        "rule_data": {"train": 40, "valid": 60},
        "train_rule": {
            "attention": {"steps": 4}, "input_gains": {"steps": 4}, "linear": {"steps": 4},
        },
        "search": {"valid": 50},
        "learners": {
            "linear": {"fit": {"steps": 4}},
            "mlp": {"fit": {"steps": 4}},
            "attention": {"cls_head": {"fit": {"steps": 4}}},
        },
        "perfect": {"curve": {"fit": {"steps": 4}}},
        "additions": {name: {"fit": {"steps": 4}} for name in ("weight_decay", "l1", "gains")},
    },
}  # fmt: skip

# Models and recipes that would only do the same again.
DROPPED = {
    ("train_fixed", "other_recipes"): ("float32",),
    ("train_variable", "models"): ("la1_8_4", "la8_16_8", "la4_32_16_nc"),
    ("train_ablation", "models"): ("constant_rate", "wide_and_deep"),
}


def drop(path):
    yaml = YAML()
    content = yaml.load(path)
    for (section, key), names in DROPPED.items():
        for name in names:
            del content["oscillator"][section][key][name]
    with path.open("w") as file:
        yaml.dump(content, file)


# Worker processes take seconds to start, and the axes of tensors are checked in this one alone; so
# one stage that trains and one that measures show that it makes no difference.
BY_WORKERS = ("oscillator_train_fixed", "oscillator_measure_variable")


def in_this_process(function, cells, **_):
    return [function(cell) for cell in cells]


class Chain:
    """A checkout in a scratch folder; stages run as the shell runs them, without tracking."""

    def __init__(self, root):
        self.root = root
        self.inputs = root / "data"
        self.stages = dag.read(ROOT)
        (root / "pipeline").symlink_to(ROOT / "pipeline")
        shutil.copy(ROOT / "dvc.yaml", root)
        shutil.copy(ROOT / fingerprint.LOCK, root)
        shutil.copy(ROOT / config.FILE, root)
        shutil.copytree(ROOT / "data" / "reference", root / "data" / "reference")
        smoke.overlay(root / config.FILE, ROOT / smoke.SMALL)
        with (root / "tiny.yaml").open("w") as file:
            YAML().dump(TINY, file)
        smoke.overlay(root / config.FILE, root / "tiny.yaml")
        drop(root / config.FILE)

    def params(self, stage):
        return config.load(self.root / config.FILE, import_module(dag.module(stage)).Params)

    def run(self, stage, inputs, out, processes=False):
        """Run one stage from ``inputs`` into ``out``, perhaps with worker processes."""
        out.mkdir(parents=True)
        module = import_module(dag.module(stage))
        with pytest.MonkeyPatch.context() as patch:
            if not processes:
                patch.setattr(parallel, "map_cells", in_this_process)
            measured = module.run(self.params(stage), inputs, out)
        if measured is not None:
            write_results(out, measured, module.HEADLINE)
        return out

    def sources(self, stage):
        """Return the data files that a stage reads, as dvc.yaml says, from data/ on."""
        paths = [Path(path) for path in self.stages[stage].get("deps", [])]
        files = [path.relative_to("data") for path in paths if path.parts[0] == "data"]
        # The runner alone reads what check_params wrote.
        return [file for file in files if file.parts[0] != dag.CHECK]

    def declared(self, stage):
        """Return the files that dvc.yaml says a stage writes."""
        paths = [Path(path) for path in dag.outputs(self.stages[stage])]
        assert {path.parent for path in paths} == {Path("data", stage)}
        return {path.name for path in paths}

    def made(self, stage):
        """Return the folder of a stage's outputs, after running it and what it needs, once."""
        out = self.inputs / stage
        if not out.exists():
            for source in dict.fromkeys(path.parts[0] for path in self.sources(stage)):
                self.made(source)
            self.run(stage, self.inputs, out, stage in BY_WORKERS)
        return out

    def copied_inputs(self, stage, folder):
        """Make a stage's input files, and copy these and no others into another folder."""
        self.made(stage)
        for source in self.sources(stage):
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.inputs / source, folder / source)
        return folder

    def metrics(self, stage):
        return artifacts.read_json(self.made(stage) / "results.json")


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(job.WORKERS, "1")
        patch.delenv(job.SCHEDULER, raising=False)
        yield Chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="session")
def assert_summaries():
    """Check metrics {condition: summary}: each quantity in its interval, and its n."""

    def check(conditions, quantities, n):
        for name, found in conditions.items():
            expected = {f"{q}{suffix}" for q in quantities for suffix in ("", "_low", "_high")}
            assert found.keys() == expected | {"n"}, name
            assert found["n"] == n.get(name, n.get(None)), name
            for quantity in quantities:
                low, middle, high = (found[f"{quantity}{s}"] for s in ("_low", "", "_high"))
                assert low <= middle <= high, (name, quantity)

    return check
