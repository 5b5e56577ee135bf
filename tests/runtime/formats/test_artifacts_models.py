"""artifacts: models come back bit for bit, and only models of this project."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from artifact_files import folder_reused, refusal, stage_file
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save_file

from pipeline.__main__ import ROOT
from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.runtime.formats import saved_models
from pipeline.runtime.formats.artifacts import ArtifactError

LINEAR = LinearWindowConfig(window=3, d_in=2, d_out=2)
SHAPE = ShapeConfig(d_model=4, d_head=2, n_layers=2, causal=True).transformer


def models(dtype: torch.dtype = torch.float64) -> dict[str, MemberModule]:
    # Names of which one begins another's path.
    return {
        "attention": Transformer(SHAPE, generators([0, 1])).to(dtype),
        "attention/deep": LinearWindow(LINEAR, generators([2])).to(dtype),
    }


def read(path: Path) -> dict[str, MemberModule]:
    return saved_models.read_models(path, Transformer, LinearWindow)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_models_come_back_with_class_configuration_and_every_bit(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    path, written = stage_file(tmp_path, "models.safetensors"), models(dtype)
    saved_models.write_models(path, written)
    found = read(path)
    assert list(found) == list(written)
    for name, model in written.items():
        assert type(found[name]) is type(model)
        assert (found[name].config, found[name].members) == (model.config, model.members)
        for key, tensor in model.state_dict().items():
            again = found[name].state_dict()[key]
            assert again.dtype == dtype
            assert torch.equal(again, tensor)


def test_a_file_says_of_what_classes_its_models_are(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    saved_models.write_models(path, models())
    transformer, linear = "pipeline.core.nn.transformer.Transformer", described()["class"]
    assert saved_models.class_paths(path) == {transformer, linear}
    save_file({"weight": torch.ones(2)}, path)
    assert "names no models of this project" in refusal(saved_models.class_paths, path)


def test_one_model_comes_back_alone(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "best.safetensors")
    saved_models.write_model(path, models()["attention"])
    assert saved_models.read_model(path, Transformer, SHAPE).members == 2


WRITE = """
from pathlib import Path
from sys import argv
from pipeline.runtime.formats import saved_models
from pipeline.core.training.sampling import generators
from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.models.attention import ShapeConfig
shape = ShapeConfig(d_model=4, d_head=2, n_layers=2, causal=True).transformer
models = {str(k): Transformer(shape, generators([k])) for k in range(5)}
saved_models.write_models(Path(argv[1]), models)
"""


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    started = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(path)], cwd=ROOT) for path in paths
    ]
    assert [process.wait() for process in started] == [0, 0]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "is missing" in refusal(read, stage_file(tmp_path, "models.safetensors"))


@given(data=st.data())
@folder_reused
def test_any_truncation_is_refused(tmp_path: Path, data: Any) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    saved_models.write_models(path, models())
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert "is truncated" in refusal(read, path)


@given(junk=st.binary(max_size=200))
@folder_reused
def test_foreign_bytes_are_refused(tmp_path: Path, junk: bytes) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    path.write_bytes(junk)
    refusal(read, path)


def test_a_model_of_another_class_is_refused(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    saved_models.write_models(path, models())
    found = refusal(lambda path: saved_models.read_models(path, Transformer), path)
    assert "attention/deep is a pipeline.core.nn.linear.LinearWindow, expected Transformer" in found


def test_a_model_of_another_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "best.safetensors")
    saved_models.write_model(path, models()["attention"])
    other = SHAPE.model_copy(update={"causal": False})
    found = refusal(lambda path: saved_models.read_model(path, Transformer, other), path)
    assert "is of another configuration: causal is True, expected False" in found


def test_a_file_of_several_models_is_not_one_model(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    saved_models.write_models(path, {name: models()["attention"] for name in ("a", "b")})
    found = refusal(lambda path: saved_models.read_model(path, Transformer), path)
    assert "holds 2 models, expected one" in found


def described(kind: str = "pipeline.core.nn.linear.LinearWindow", **changes: Any) -> dict[str, Any]:
    return {"class": kind, "config": LINEAR.model_dump(), "members": 1, **changes}


def write_claim(path: Path, claim: str, state: dict[str, torch.Tensor] | None = None) -> None:
    own = {f"m/{key}": t for key, t in models()["attention/deep"].state_dict().items()}
    save_file(own if state is None else state, path, {"models": claim})


def test_the_claim_that_the_next_tests_spoil_is_good(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    write_claim(path, json.dumps({"m": described()}))
    assert type(read(path)["m"]) is LinearWindow


@pytest.mark.parametrize(
    "kind",
    [
        "os.system",
        "torch.nn.Linear",
        "pipeline.runtime.formats.artifacts.Path",
        "pipeline.stages.oscillator.data.Params",
        "pipeline.core.nn.linear.normal_equation",
        "pipeline.core.nn.linear.Tensor",
        "pipeline.core.nn.linear.Nothing",
        "pipeline.core.nowhere.Model",
        "pipeline.core..linear.LinearWindow",
        "pipeline.core.nn.layers.MemberModule",
        "pipeline.core.nn.layers.MemberLinear",
        "LinearWindow",
        "",
    ],
)
def test_a_class_that_is_no_model_of_this_project_is_refused(tmp_path: Path, kind: str) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    write_claim(path, json.dumps({"m": described(kind)}))
    assert f"m is a {kind}, expected Transformer or LinearWindow" in refusal(read, path)


@pytest.mark.parametrize(
    "claim",
    [
        "",
        "{",
        "[]",
        "3",
        '{"m": 3}',
        '{"m": {}}',
        json.dumps({"m": described(kind=None)}),
        json.dumps({"m": described(members="many")}),
        json.dumps({"m": described(members=0)}),
        json.dumps({"m": described(members=-1)}),
        json.dumps({"m": described(config=None)}),
        json.dumps({"m": described(config={"window": 3})}),
        json.dumps({"m": described(config=LINEAR.model_dump() | {"more": 1})}),
    ],
)
def test_a_description_that_describes_no_model_is_refused(tmp_path: Path, claim: str) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    write_claim(path, claim)
    refusal(read, path)


def other_size(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: t[..., :1].contiguous() for key, t in state.items()}


def of_integers(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: t.long() for key, t in state.items()}


def one_missing(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return dict(list(state.items())[1:])


def one_more(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return state | {"m/more": torch.ones(1)}


def of_another(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key.replace("m/", "n/"): t for key, t in state.items()}


@pytest.mark.parametrize(
    "spoil", [other_size, of_integers, one_missing, one_more, of_another], ids=lambda f: f.__name__
)
def test_parameters_that_do_not_fit_the_description_are_refused(
    tmp_path: Path, spoil: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    write_claim(path, json.dumps({"m": described()}))
    write_claim(path, json.dumps({"m": described()}), spoil(load(path.read_bytes())))
    assert "parameters of m do not fit it" in refusal(read, path)


def test_a_file_of_tensors_without_models_is_refused(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "models.safetensors")
    save_file({"weight": torch.ones(2)}, path)
    assert "names no models of this project" in refusal(read, path)


def test_an_error_keeps_its_message_when_it_is_copied_between_processes() -> None:
    error = ArtifactError(Path("data/some_stage/a.npz"), "is missing")
    assert str(copy.copy(error)) == str(error)
