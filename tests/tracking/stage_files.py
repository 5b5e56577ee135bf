"""What a stage leaves on disk, and what MLflow then holds of it."""

import torch

from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.runtime import artifacts, saved_models
from pipeline.runtime.provenance import Execution, md5
from pipeline.tracking import runs as tracking_runs
from pipeline.tracking import store as tracking_store

STEPS = 20
CONFIG = TransformerConfig(
    d_in=2, d_out=2, d_model=8, d_head=4, n_layers=2, attention="softmax", causal=True,
    positions=0, previous_token=False, bias=False, mlp_width=0, norm=False,
)  # fmt: skip


def ensemble():
    return Transformer(CONFIG, [torch.Generator().manual_seed(seed) for seed in (0, 1)])


def write_stage(root, name="train", register=None, entries=None):
    """Write a stage's files as a stage would; return its execution."""
    folder = root / "data" / name
    folder.mkdir(parents=True, exist_ok=True)
    saved_models.write_models(folder / "models.safetensors", {"tiny": ensemble()})
    lines = ["model,seed,step,loss,validation_loss"]
    for seed in (0, 1):
        for step in range(1, STEPS + 1):
            # The validation loss stands in every second row: the others are NaN.
            validation = "" if step % 2 else 2 / (step + seed)
            lines.append(f"tiny,{seed},{step},{1 / (step + seed)},{validation}")
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
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
    artifacts.write_json(
        folder / "metrics.json", {"O5": {"tiny": {"error": 0.5, "n": 2, "verdict": "holds"}}}
    )
    (folder / "big.csv").write_bytes(b"0" * (tracking_runs.COPIED_BYTES + 1))
    (folder / "states.npz").write_bytes(b"npz")
    return Execution(
        stage=name,
        cmd=f"python -m pipeline {name}",
        params={"oscillator.task": {"dt": 0.1, "gammas": [0.1, 0.2], "kind": "damped"}},
        deps={"pipeline/core/transformer.py": "0" * 32},
        outs={f"data/{name}/{p.name}": md5(p) for p in sorted(folder.iterdir())},
    )


def client_of(root):
    return tracking_store.connect(root)


def runs_of(root, query="", finished=True):
    from mlflow.entities import ViewType

    client, experiment = client_of(root)
    found = client.search_runs([experiment], query, ViewType.ACTIVE_ONLY)
    assert not finished or all(run.info.status == "FINISHED" for run in found)
    return {run.info.run_name: run for run in found}


def names(client, run, path=None):
    return sorted(item.path for item in client.list_artifacts(run.info.run_id, path))
