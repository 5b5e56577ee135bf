"""Training of cells that take many steps: parts of the distribution, and few contexts, are fast.

Measured like every cell (:mod:`pipeline.labs.memory.train.cells`), which trains all others.
"""

from collections.abc import Callable, Iterator
from itertools import repeat

import torch
from torch import Tensor

from pipeline.core.device import CPU, moved
from pipeline.core.training.ensemble import train
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import batches
from pipeline.labs.memory.data.batches import Batch
from pipeline.labs.memory.kernels import context_kl, full_batch
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.labs.memory.train import parts
from pipeline.labs.memory.train.cells import (
    SAMPLES,
    Cell,
    LateAccuracy,
    Result,
    in_float64,
    measured,
    on_samples,
)
from pipeline.labs.memory.train.engines import MinibatchConfig
from pipeline.labs.memory.train.parts import PartConfig

PARTS = 3  # the purpose of a seed's stream of the orders of first tokens
FEW = 300  # contexts of a step: with more of them the tables of all pairs are no slower


def train_long_cell(
    cell: Cell, on_step: Callable[[], None] | None = None, device: torch.device = CPU
) -> Result:
    """Train one cell, by any engine."""
    engine, config = cell.engine, cell.engine.training()
    model = AttentionMemory(cell.config, generators(cell.seeds)).to(device, config.torch_dtype)
    triples = batches.sampled_contexts(
        cell.distributions, engine.eval_contexts, generators(cell.seeds, SAMPLES)
    )
    late: LateAccuracy | None = None
    if isinstance(engine, MinibatchConfig):
        late = LateAccuracy(config.steps - engine.eval_batches)
    whole = moved(batches.full_batch(cell.distributions, config.torch_dtype), device)
    latest: list[Batch] = []

    def loss(model: AttentionMemory, batch: Batch) -> Tensor:
        latest[:] = [batch]
        if late is not None:
            late.see(model, batch)
        few = batch.first is None and batch.target.weight.shape[1] <= FEW
        if few and context_kl.is_plain(model.config):
            return context_kl.divergence(model, batch)
        return full_batch.divergence(model, batch)

    def evaluate(model: AttentionMemory) -> dict[str, Tensor]:
        return {"accuracy": full_batch.accuracy(model, latest[0])}

    muon = engine.muon if isinstance(engine, PartConfig) else None
    history = train(
        model, loss, _data(cell, whole, triples.to(device)), config, evaluate=evaluate,
        on_step=on_step, optimizer=parts.optimizer(model, config.optimizer, muon),
    )  # fmt: skip
    model.to(CPU)
    double, exact = in_float64(model), batches.full_batch(cell.distributions, torch.float64)
    measures = measured(double, exact)
    measures["accuracy_train"] = late.mean() if late else on_samples(double, exact, triples)
    return Result(model=model, history=history, measures=measures)


def _data(cell: Cell, whole: Batch, triples: Tensor) -> Iterator[Batch]:
    """Return the batches of the cell's engine."""
    engine, dtype = cell.engine, cell.engine.training().torch_dtype
    if isinstance(engine, MinibatchConfig):
        distributions = [moved(one, triples.device) for one in cell.distributions]
        return batches.minibatches(distributions, triples, engine.batch_size, cell.objective, dtype)
    if isinstance(engine, PartConfig):
        return parts.parts(whole, engine.first_tokens, generators(cell.seeds, PARTS))
    return repeat(whole)
