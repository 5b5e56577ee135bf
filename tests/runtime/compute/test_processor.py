"""The processor: a name for readers, and all of it for keys."""

from pathlib import Path

from pipeline.runtime.compute import processor

FAST = "processor\t: 0\nvendor_id\t: V\nmodel name\t: Fast 9000 @ 3 GHz\nflags\t\t: fpu avx2\n\n"


def cpuinfo(folder: Path, content: str) -> Path:
    path = folder / str(abs(hash(content)))
    path.write_text(content, encoding="utf-8")
    return path


def test_it_is_named_by_its_model(tmp_path: Path) -> None:
    assert processor.model(cpuinfo(tmp_path, FAST * 2)) == "Fast 9000 @ 3 GHz"
    assert processor.model(tmp_path / "none")  # another system says something of its own


def test_its_kind_is_its_model_and_what_it_can_compute_with(tmp_path: Path) -> None:
    kind = processor.kind(cpuinfo(tmp_path, FAST))
    assert kind == processor.kind(cpuinfo(tmp_path, FAST * 2))  # the number of cores is no part
    for other in (FAST.replace("9000", "9001"), FAST.replace("avx2", "avx2 avx512f")):
        assert processor.kind(cpuinfo(tmp_path, other)) != kind
    assert processor.kind(tmp_path / "none")
