"""What a stage leaves on disk, and what MLflow then holds of it."""

import json

import torch

from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.runtime import dag
from pipeline.runtime.files import md5
from pipeline.runtime.formats import artifacts, saved_models
from pipeline.runtime.provenance import Execution
from pipeline.tracking import runs, store
from pipeline.tracking.circumstances import Timing

STEPS = 20
STARTED, ENDED = 1_700_000_000_000, 1_700_000_012_500
TIMING = Timing(STARTED, ENDED, {"cells_computed": 3.0, "workers_idle_share": 0.25})
FINGERPRINT = {"code": "0" * 64, "python": "3.11", "packages": {"numpy": "2.1", "torch": "2.13.0"}}
CONFIG = TransformerConfig(
    d_in=2, d_out=2, d_model=8, d_head=4, n_layers=2, attention="softmax", causal=True,
    positions=0, previous_token=False, bias=False, mlp_width=0, norm=False,
)  # fmt: skip


def ensemble(first=0):
    return Transformer(CONFIG, [torch.Generator().manual_seed(first + seed) for seed in (0, 1)])


def write_stage(root, name="oscillator_train", register=None, entries=None, first=0):
    """Write a stage's files as a stage would; return its execution."""
    folder = root / "data" / name
    folder.mkdir(parents=True, exist_ok=True)
    saved_models.write_models(folder / "models.safetensors", {"tiny": ensemble(first)})
    write_history(folder)
    default = [
        {
            "name": f"O5.tiny.seed_{seed}",
            "params": {"n_layers": 2, "seed": seed},
            "metrics": {"loss": 1 / (STEPS + seed), "final": 7.0},
            "history": {"file": "history.csv", "where": {"model": "tiny", "seed": seed}},
            "model": {"file": "models.safetensors", "name": "tiny", "member": seed},
            "register": register if seed == 1 else None,
            "example": torch.zeros(2, 5, 2).tolist(),
        }
        for seed in (0, 1)
    ]
    artifacts.write_json(folder / "models.json", default if entries is None else entries)
    results = {"O6_linear": {"n": 3}, "O10": {"n": 2}, "noise": {"n": 1}}
    artifacts.write_json(folder / "results.json", results)
    headline = {"O5.tiny.r50": 0.5, "O5.tiny.n": 2, "O5.tiny.verdict": "holds"}
    artifacts.write_json(folder / "metrics.json", headline)
    (folder / "big.csv").write_bytes(b"0" * (runs.COPIED_BYTES + 1))
    (folder / "states.npz").write_bytes(b"npz")
    return execution_of(root, name)


def write_history(folder):
    """Write the loss curves; the validation loss stands in every second row: else it is NaN."""
    lines = ["model,seed,step,loss,validation_loss"]
    for seed in (0, 1):
        for step in range(1, STEPS + 1):
            validation = "" if step % 2 else 2 / (step + seed)
            lines.append(f"tiny,{seed},{step},{1 / (step + seed)},{validation}")
    (folder / "history.csv").write_text("\n".join(lines) + "\n")


def write_fingerprint(root, name="oscillator_train"):
    """Write the fingerprint of a stage's code; return it as a dependency."""
    path = root / dag.code_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(FINGERPRINT))
    return {dag.code_file(name): md5(path)}


def execution_of(root, name="oscillator_train", **changes):
    folder = root / "data" / name
    described = {
        "stage": name,
        "cmd": f"python -m pipeline {name}",
        "params": {"oscillator.task": {"dt": 0.1, "gammas": [0.1, 0.2], "kind": "damped"}},
        "deps": {"data/oscillator_data/train.npz": "0" * 32},
        "outs": {f"data/{name}/{p.name}": md5(p) for p in sorted(folder.glob("*"))},
        "desc": "Tiny models",
    }
    return Execution(**{**described, **changes})


def made(stage, *outs):
    """Return an execution that made these files, which need not be there."""
    return Execution(
        stage=stage, cmd="", params={}, deps={}, outs={f"data/{stage}/{name}": "" for name in outs}
    )


def client_of(root):
    return store.connect(root)


def runs_of(root, query="", finished=True):
    from mlflow.entities import ViewType

    client, experiment = client_of(root)
    visible = client.search_runs([experiment], query, ViewType.ACTIVE_ONLY)
    assert not finished or all(run.info.status == "FINISHED" for run in visible)
    return {run.info.run_name: run for run in visible}


def names(client, run, path=None):
    return sorted(item.path for item in client.list_artifacts(run.info.run_id, path))
