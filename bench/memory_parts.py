"""Accuracy of P5's memories by how they are trained, on seeds that no result uses.

python -m bench.memory_parts [PASSES]: what docs/choices/memory_p5_p7.md tells. Every line sees each
context of N = 70 as often: PASSES times (default 800).
"""

import sys
import time

from pipeline.core.training.muon import MuonConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import families
from pipeline.labs.memory.data.draw import DISTRIBUTION
from pipeline.labs.memory.models.attention import InitialConfig
from pipeline.labs.memory.models.shapes import PointConfig
from pipeline.labs.memory.train.cells import Cell
from pipeline.labs.memory.train.long_cells import train_long_cell
from pipeline.labs.memory.train.parts import PartConfig
from pipeline.runtime.compute.numerics import use_one_thread

N, SEEDS, ALPHAS = 70, (100,), (1.0, 1.0, 1.0)
WIDE, NARROW = InitialConfig(embedding=1.0, OV=1.0), InitialConfig(embedding=0.1, OV=2.0)
# d, H, MLP; first tokens a step, rate, second beta, Muon's rate, initial scales.
CASES = (
    (13, 11, True, 70, 0.02, 0.99, None, WIDE),
    (13, 11, True, 14, 0.005, 0.99, None, WIDE),
    (13, 11, True, 14, 0.02, 0.99, None, WIDE),
    (13, 11, True, 14, 0.05, 0.99, None, WIDE),
    (13, 11, True, 14, 0.02, 0.99, 0.08, WIDE),
    (13, 11, True, 14, 0.02, 0.99, 0.2, WIDE),
    (13, 11, False, 70, 0.05, 0.95, None, NARROW),
    (13, 11, False, 14, 0.05, 0.95, None, NARROW),
)


def main(passes: int) -> None:
    """Print a line a case."""
    use_one_thread()
    print("d H mlp first_tokens rate beta2 muon embedding accuracy divergence cpu_s")
    streams = generators(SEEDS, DISTRIBUTION)
    tables = [families.draw_supports(N, (N, N, 1), g) for g in streams]
    distributions = [families.power_unif(ALPHAS, table, N) for table in tables]
    for d, H, mlp, size, rate, beta, muon, initial in CASES:
        engine = PartConfig(
            engine="part_batch", steps=passes * N // size, eval_contexts=64, record_every=10**6,
            memory_gib=4.0, dtype="float32", initial=initial, first_tokens=size,
            muon=None if muon is None else MuonConfig(learning_rate=muon, momentum=0.9),
            optimizer=OptimizerConfig(
                name="Adam", learning_rate=rate, options={"betas": [0.9, beta]}, schedule="cosine",
                final_fraction=0.0, warmup_steps=0,
            ),
        )  # fmt: skip
        point = PointConfig(d=d, d_head=d, n_heads=H, n_layers=1, mlp=mlp)
        model = point.model(N, initial)
        started = time.process_time()
        result = train_long_cell(
            Cell(
                name=point.name, config=model, seeds=SEEDS, distributions=distributions,
                engine=engine,
            )
        )  # fmt: skip
        measured = [float(result.measures[name].mean()) for name in ("accuracy", "divergence")]
        print(
            d, H, mlp, size, rate, beta, muon, initial.embedding,
            *(f"{value:.3f}" for value in measured), f"{time.process_time() - started:.0f}",
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 800)
