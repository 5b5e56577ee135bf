"""bench/compare_outputs: what differs is never called the same, whatever form of file holds it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save

from bench import compare_outputs

WEIGHTS = {"small/W": torch.tensor([[1.0, 2.0]]), "small/b": torch.tensor([0.5])}


def models(weights: dict[str, torch.Tensor], kind: str = "pipeline.labs.a.Net") -> bytes:
    described = {"small": {"class": kind, "config": {"modules": 2}, "members": 1}}
    return save(weights, {"models": json.dumps(described)})


def put(root: Path, **changes: Any) -> Path:
    """Write a folder of outputs of every form; ``changes`` replace the content of some."""
    content: dict[str, Any] = {
        "arrays": {"gain": np.array([1.0, np.nan]), "who": np.array(["head", "mlp"])},
        "table": "seed,lean,who\n0,0.25,head\n1,0.5,mlp\n",
        "results": {"C5": {"head": {"m16": 0.1, "n": 3}, "all": []}},
        "weights": models(WEIGHTS),
        "figure": b"\x89PNG one",
    } | changes
    folder = root / "measure"
    folder.mkdir(parents=True)
    np.savez(folder / "arrays.npz", allow_pickle=False, **content["arrays"])
    (folder / "table.csv").write_text(content["table"], encoding="utf-8")
    (folder / "results.json").write_text(json.dumps(content["results"]), encoding="utf-8")
    (folder / "models.safetensors").write_bytes(content["weights"])
    (folder / "figure.png").write_bytes(content["figure"])
    (root / ".locks").mkdir()
    (root / ".locks" / "measure").write_text(str(root), encoding="utf-8")
    return root


def run(tmp_path: Path, new: Path, **renames: Any) -> int:
    file = tmp_path / "renames.yaml"
    file.write_text(yaml.safe_dump(renames), encoding="utf-8")
    old = tmp_path / "old" if (tmp_path / "old").exists() else put(tmp_path / "old")
    return compare_outputs.main([str(old), str(new), "--renames", str(file)])


def test_the_same_folders_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, put(tmp_path / "new")) == 0
    expected = "5 same, 0 renamed, 0 different, 0 only; 0 without an explanation\n"
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"arrays": {"gain": np.array([1.1, np.nan]), "who": np.array(["head", "mlp"])}},
         "1 values differ, by 0.091 at most (gain)"),
        ({"arrays": {"gain": np.array([1.0, -np.nan]), "who": np.array(["head", "mlp"])}},
         "1 values differ, not numbers (gain)"),
        ({"arrays": {"gain": np.array([1.0, np.nan], "f4"), "who": np.array(["head", "mlp"])}},
         "gain: float64 -> float32"),
        ({"arrays": {"gain": np.ones(3), "who": np.array(["head", "mlp"])}},
         "gain: shape (2,) -> (3,)"),
        ({"arrays": {"gain": np.array([1.0, np.nan])}}, "removed: who"),
        ({"table": "seed,lean,who\n0,0.25,head\n1,0.50000001,mlp\n"},
         "1 values differ, by 2e-08 at most (lean)"),
        ({"table": "seed,lean,who\n0,0.25,head\n1,0.5,cls\n"},
         "1 values differ, not numbers (who)"),
        ({"table": "seed,lean,who\n0,0.25,head\n"}, "seed: shape (2,) -> (1,)"),
        ({"table": "seed,lean,who,n\n0,0.25,head,1\n1,0.5,mlp,1\n"}, "added: n"),
        ({"results": {"C5": {"head": {"m16": 0.2, "n": 3}, "all": []}}},
         "1 values differ, by 0.5 at most (C5.head.m16)"),
        ({"results": {"C5": {"head": {"m16": 0.1, "n": 3.0}, "all": []}}}, "C5.head.n: int64"),
        ({"results": {"C5": {"head": {"m16": 0.1, "n": 3}}}}, "removed: C5.all"),
        ({"weights": models(WEIGHTS | {"small/b": torch.tensor([0.25])})},
         "1 values differ, by 0.5 at most (small/b)"),
        ({"weights": models(WEIGHTS | {"small/b": torch.tensor([0.5]).double()})},
         "small/b: float32 -> float64"),
        ({"figure": b"\x89PNG two"}, "bytes (8 -> 8)"),
    ],
    ids=str,
)  # fmt: skip
def test_a_difference_is_told_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], told: str
) -> None:
    assert run(tmp_path, put(tmp_path / "new", **change)) == 1
    out = capsys.readouterr().out
    assert told in out
    assert "4 same, 0 renamed, 1 different, 0 only; 1 without an explanation" in out


def test_other_names_are_no_difference_when_they_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = {name.replace("small", "tiny"): value for name, value in WEIGHTS.items()}
    described = {"tiny": {"class": "pipeline.labs.b.Net", "config": {"n_heads": 2}, "members": 1}}
    new = put(
        tmp_path / "new",
        arrays={"effective": np.array([1.0, np.nan]), "who": np.array(["cls_head", "mlp"])},
        table="covariance,seed,who,n\n0.25,0,cls_head,1\n0.5,1,mlp,1\n",
        results={"C5": {"cls_head": {"samples_T16": 0.1, "n": 3}, "all": []}},
        weights=save(weights, {"models": json.dumps(described)}),
        figure=b"another",
    )
    (new / "measure").rename(new / "inspect")
    renames: dict[str, Any] = {
        "files": {"measure/(.*)": r"inspect/\1"},
        "columns": {"*/table.csv": {"lean": "covariance"}},
        "keys": {
            "*/results.json": {
                r"C5\.head\.(.*)": r"C5.cls_head.\1",
                r"(.*)\.m(\d+)": r"\1.samples_T\2",
            },
            "*.safetensors": {r"config\.modules": "config.n_heads"},
        },
        "names": {"*": {"head": "cls_head", "gain": "effective", "small": "tiny"}},
        "added": {"*/table.csv": ["n"]},
        "expected": {"inspect/*.png": "its title says the seed"},
    }  # fmt: skip
    assert run(tmp_path, new, **renames) == 0
    out = capsys.readouterr().out
    assert "0 same, 4 renamed, 1 different, 0 only; 0 without an explanation" in out
    assert "figure.png: was measure/figure.png; bytes (8 -> 7) [its title says the seed]" in out
    for section in ("files", "columns", "keys", "names", "added", "expected"):
        fewer = {name: value for name, value in renames.items() if name != section}
        assert run(tmp_path, new, **fewer) == 1, section


def test_a_moved_class_is_no_difference(tmp_path: Path) -> None:
    assert run(tmp_path, put(tmp_path / "new", weights=models(WEIGHTS, "pipeline.labs.b.Net"))) == 0


def test_a_renamed_value_that_differs_is_different(tmp_path: Path) -> None:
    new = put(tmp_path / "new", table="seed,covariance,who\n0,0.26,head\n1,0.5,mlp\n")
    assert run(tmp_path, new, columns={"*/table.csv": {"lean": "covariance"}}) == 1


CHANGED = {
    "arrays": {"gain": np.array([1.0000001, np.nan]), "who": np.array(["head", "mlp", "cls"])}
}


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({"gain": [1e-6, "in float64"], "who": [None, "one more"]}, 0,
         "(gain); who: shape (2,) -> (3,) [in float64; one more]"),
        ({"gain|who": [None, "drawn anew"]}, 0, "[drawn anew]"),
        ({"gain": [1e-8, "in float64"], "who": [None, "one more"]}, 1,
         "1 values differ, by 1e-07 at most (gain)\n"),
        ({"gain": [1e-6, "in float64"], "who": [1, "one more"]}, 1,
         "npz: who: shape (2,) -> (3,)\n"),
        ({"gain": [1e-6, "in float64"]}, 1, "npz: who: shape (2,) -> (3,)\n"),
    ],
    ids=str,
)  # fmt: skip
def test_an_entry_may_change_for_a_reason_and_by_no_more(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any],
    code: int,
    told: str,
) -> None:
    new = put(tmp_path / "new", **CHANGED)
    assert run(tmp_path, new, changed={"*/arrays.npz": changed}) == code
    assert told in capsys.readouterr().out


def test_arrays_may_be_parts_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    who = {"who": np.array(["head", "mlp"])}
    put(tmp_path / "old", arrays=who | {"map_0": np.arange(2.0), "map_1": np.arange(3.0)})
    maps = np.array([[[0.0, 7.0], [1.0, 8.0], [9.0, 9.0]], [[0.0, 1.0], [1.0, 8.0], [2.0, 9.0]]])
    new = put(tmp_path / "new", arrays=who | {"maps": maps})
    parts = {"*/arrays.npz": {r"map_(\d)": r"maps[\1,*,0]"}}
    assert run(tmp_path, new, parts=parts) == 0
    parts = {"*/arrays.npz": {r"map_(\d)": r"maps[\1,:,0]"}}
    assert run(tmp_path, new, parts=parts) == 1
    assert "maps[0,:,0]: shape (2,) -> (3,)" in capsys.readouterr().out
    parts = {"*/arrays.npz": {r"map_(\d)": r"maps[\1,*,1]"}}
    assert run(tmp_path, new, parts=parts) == 1
    assert run(tmp_path, new, parts={"*/arrays.npz": {r"map_(\d)": r"map[\1]"}}) == 1
    assert "removed: map[0], map[1]; added: maps" in capsys.readouterr().out


def test_a_tensor_is_renamed_by_its_model_and_name(tmp_path: Path) -> None:
    weights = {"small/U": WEIGHTS["small/W"], "small/b": WEIGHTS["small/b"]}
    new = put(tmp_path / "new", weights=models(weights))
    assert run(tmp_path, new, names={"*.safetensors": {"(small)/W": r"\1/U"}}) == 0
    assert run(tmp_path, new, names={"*.safetensors": {"(large)/W": r"\1/U"}}) == 1


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_file_on_one_side_alone_fails_unless_it_may_be(tmp_path: Path, side: str) -> None:
    put(tmp_path / "old")
    new = put(tmp_path / "new")
    (tmp_path / side / "measure" / "more.txt").write_text("", encoding="utf-8")
    assert run(tmp_path, new) == 1
    assert run(tmp_path, new, alone={"measure/more.txt": "a note"}) == 0
    assert run(tmp_path, new, expected={"measure/more.txt": "it differs"}) == 1


def test_two_files_or_entries_renamed_alike_are_refused(tmp_path: Path) -> None:
    new = put(tmp_path / "new", table="seed,lean\n0,0.25\n1,0.5\n")
    assert run(tmp_path, new, columns={"*": {"who": "lean"}}) == 1
    with pytest.raises(SystemExit, match="renamed alike"):
        run(tmp_path, new, files={"measure/.*": "measure/one"})


def test_an_unknown_section_or_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no section 'colums'"):
        run(tmp_path, put(tmp_path / "new"), colums={})
    with pytest.raises(SystemExit, match="nowhere is no folder"):
        run(tmp_path, tmp_path / "nowhere")
