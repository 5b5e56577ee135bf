"""Steps on a part of the whole distribution: some first tokens, with every second one.

A lookup table of N^2 contexts is redundant long before it is learned: at N = 70 a fifth of the
contexts a step takes a wide MLP further, in the same number of passes over all of them, than every
context does (docs/choices/memory.md). With whole rows of the table of contexts the fast tables of
:mod:`pipeline.labs.memory.kernels.full_batch` stay what they are.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.bounds import Count
from pipeline.core.training.ensemble import Optimizer
from pipeline.core.training.muon import CombinedOptimizer, Muon, MuonConfig
from pipeline.core.training.optimizers import OptimizerConfig, build
from pipeline.labs.memory.data.batches import Batch
from pipeline.labs.memory.kernels.unembed_kl import Target
from pipeline.labs.memory.train.engines import FullBatchConfig

MLP_MATRICES = "mlp_W"


class PartConfig(FullBatchConfig):
    """``first_tokens`` are in a step; ``muon`` steps an MLP's matrices, if it is given."""

    engine: Literal["part_batch"]  # type: ignore[assignment]  # an engine of its own name
    first_tokens: Count
    muon: MuonConfig | None


def parts(whole: Batch, size: int, streams: Sequence[torch.Generator]) -> Iterator[Batch]:
    """Go over all first tokens for ever, ``size`` at a time, each member in an order of its own.

    What does not fill a part is left out of a pass. Raises ValueError for contexts that are not all
    there, or whose next token is uncertain, and for fewer tokens than ``size``.
    """
    target = whole.target
    if whole.pair is not None or whole.first is not None or target.token is None:
        raise ValueError("parts need all contexts, with one next token each")
    members, contexts = target.token.shape
    N = round(contexts**0.5)
    if size > N:
        raise ValueError(f"first_tokens must be <= N = {N}, got {size}")
    token, weight = (x.view(members, N, N) for x in (target.token, target.weight))
    while True:
        orders = torch.stack([torch.randperm(N, generator=g) for g in streams]).to(token.device)
        for start in range(0, N - size + 1, size):
            first = orders[:, start : start + size].sort(1).values
            rows = first[:, :, None].expand(-1, -1, N)
            chosen = weight.gather(1, rows).flatten(1)
            normal = chosen / chosen.sum(1, keepdim=True)
            certain = Target(normal, token.gather(1, rows).flatten(1), None, target.entropy)
            yield Batch(None, certain, first)


def optimizer(
    model: nn.Module, config: OptimizerConfig, muon: MuonConfig | None
) -> Optimizer | None:
    """Return Muon for the MLP's matrices beside the configured optimiser; None without Muon."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [p for name, p in named if MLP_MATRICES in name]
    if muon is None or not matrices:
        return None
    others: list[Tensor] = [p for name, p in named if MLP_MATRICES not in name]
    return CombinedOptimizer(
        [
            build(config, others),
            Muon(matrices, lr=muon.learning_rate, momentum=muon.momentum),
        ]
    )
