"""Training steps of this code against a plain loop as the study describes it, at its four sizes.

The plain loop draws fresh trajectories at every step by stepping the propagator, computes every
position with one ``nn.Linear`` a matrix, and steps AdamW. It is written here for the comparison.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from bench import timing
from bench.oscillator_trajectories import stepped
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig, train
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.oscillator.data.task import initial_in_box, trajectories
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.labs.oscillator.train.forecast import LossKind, squared_error

SIZES = {
    "la1_2_2": ShapeConfig(d_model=2, d_head=2, n_layers=1, causal=True),
    "la1_8_4": ShapeConfig(d_model=8, d_head=4, n_layers=1, causal=True),
    "la8_16_8": ShapeConfig(d_model=16, d_head=8, n_layers=8, causal=True),
    "la8_32_16_nc": ShapeConfig(d_model=32, d_head=16, n_layers=8, causal=False),
}
BATCH, WINDOW, STEPS, REPEATS = 64, 40, 20, 5


class PlainLayer(nn.Module):
    """Multi-head attention written out, one head after another."""

    def __init__(self, shape: ShapeConfig):
        super().__init__()
        heads, d, e = shape.d_model // shape.d_head, shape.d_model, shape.d_head
        self.causal, self.scale = shape.causal, math.sqrt(shape.d_head)
        self.q, self.k, self.v = (
            nn.ModuleList(nn.Linear(d, e, bias=False) for _ in range(heads)) for _ in range(3)
        )
        self.o = nn.ModuleList(nn.Linear(e, d, bias=False) for _ in range(heads))

    def forward(self, x: Tensor) -> Tensor:
        """Add the heads to the stream."""
        total = x
        for q, k, v, o in zip(self.q, self.k, self.v, self.o, strict=True):
            scores = q(x) @ k(x).transpose(-1, -2) / self.scale
            if self.causal:
                mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1)
                scores = scores.masked_fill(mask, -torch.inf)
            total = total + o(torch.softmax(scores, -1) @ v(x))
        return total


def plain_model(shape: ShapeConfig) -> nn.Sequential:
    """Return embedding, layers and unembedding; their weights come from torch's own state."""
    embed, unembed = nn.Linear(2, shape.d_model), nn.Linear(shape.d_model, 2)
    return nn.Sequential(embed, *(PlainLayer(shape) for _ in range(shape.n_layers)), unembed)


def plain_loop(
    model: nn.Sequential, steps: int, on_step: Callable[[int], bool] = lambda _: False
) -> None:
    """Train the study's way, until ``on_step`` says that it is enough."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    stream = generators([0])[0]
    for step in range(steps):
        omega0 = 1 + 3 * torch.rand(BATCH, generator=stream)
        initial = initial_in_box(BATCH, (0.0, 1.0), stream).float()
        states = stepped(initial, omega0, torch.full_like(omega0, 0.1), WINDOW + 1)
        optimizer.zero_grad()
        loss = (model(states[:, :-1]) - states[:, 1:]).square().sum(-1).mean()
        loss.backward()
        optimizer.step()
        if on_step(step):
            return


def our_loop(shape: ShapeConfig, steps: int, kind: LossKind, data: Tensor) -> None:
    """Train with this project's trainer, on trajectories made beforehand."""
    optimizer = OptimizerConfig(
        name="AdamW", learning_rate=1e-3, options={"weight_decay": 0.01}, schedule="constant",
        final_fraction=1.0, warmup_steps=0,
    )  # fmt: skip
    config = TrainingConfig(
        steps=steps, batch_size=BATCH, optimizer=optimizer, clip_norm=None, dtype="float32",
        record_every=steps,
    )  # fmt: skip

    def batches() -> Iterator[Tensor]:
        for index in minibatches(len(data), BATCH, generators([0], 1)):
            yield data[index]

    train(
        Transformer(shape.transformer, generators([0])),
        lambda model, batch: squared_error(model, batch, kind),
        batches(),
        config,
    )


def main() -> None:
    """Compare steps per second, in turn; the time to make our data stands in a row of its own."""
    timing.one_thread()
    stream = generators([0])[0]
    omega0 = 1 + 3 * torch.rand(32768, generator=stream, dtype=torch.float64)
    start = time.process_time()
    initial = initial_in_box(len(omega0), (0.0, 1.0), stream)
    gamma = torch.full_like(omega0, 0.1)
    data = trajectories(initial, omega0, gamma, 0.1, WINDOW + 1).float().contiguous()
    rows: dict[str, dict[str, float]] = {"data, once": {"seconds": time.process_time() - start}}
    kinds: tuple[LossKind, ...] = ("sequence", "last")
    for name, shape in SIZES.items():
        for kind in kinds:
            found = timing.ratio(
                lambda: our_loop(shape, STEPS, kind, data),  # noqa: B023
                lambda: plain_loop(plain_model(shape), STEPS),  # noqa: B023
                REPEATS,
            )
            rate = {f"{w}_steps_per_s": STEPS / found.pop(f"{w}_s") for w in ("ours", "theirs")}
            rows[f"{name} {kind}"] = found | rate
    ratios = [row["ratio"] for row in rows.values() if "ratio" in row]
    rows["all"] = {"ratio": statistics.median(ratios)}
    timing.record("oscillator_training", rows)


if __name__ == "__main__":
    main()
