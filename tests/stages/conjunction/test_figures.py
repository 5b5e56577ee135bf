from pipeline.runtime import dag
from stages.conftest import ROOT

STAGE = "conjunction_figures"


def test_every_figure_is_a_picture_of_both_kinds(chain):
    folder = chain.made(STAGE)
    declared = [path.rpartition("/")[2] for path in dag.outputs(dag.read(ROOT)[STAGE])]
    names = {path.stem for path in folder.iterdir()}
    assert {f"{name}{suffix}" for name in names for suffix in (".png", ".svg")} == set(declared)
    for name in names:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (folder / f"{name}.svg").read_bytes()
