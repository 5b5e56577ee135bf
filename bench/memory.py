"""The full-batch engine against a plain re-implementation of the original training loop.

The original: a list of nn.MultiheadAttention in parallel, batches of 256 sampled contexts, one seed
after the other. Speed is model-steps a second; time to equal accuracy is seconds until the uniform
accuracy that the original reaches after its 4,096 steps.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench import timing
from pipeline.core.training.optimizers import OptimizerConfig, build, schedule_factor
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import batches, families
from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.models.attention import AttentionMemory, InitialConfig
from pipeline.labs.memory.models.shapes import PointConfig

N, D, SEEDS, STEPS, BATCH = 50, 10, 5, 4096, 256
FAST = InitialConfig(embedding=0.1, OV=2.0)
ADAM = OptimizerConfig(
    name="Adam", learning_rate=0.05, options={"betas": (0.9, 0.95)}, schedule="cosine",
    final_fraction=0.0, warmup_steps=0,
)  # fmt: skip


class Original(nn.Module):
    """Parallel attention modules over an embedding with additive positions, one model."""

    def __init__(self, N: int, d: int, n_heads: int):
        super().__init__()
        self.E, self.P = nn.Embedding(N, d), nn.Embedding(2, d)
        self.heads = nn.ModuleList(
            nn.MultiheadAttention(d, 1, bias=False, batch_first=True) for _ in range(n_heads)
        )
        self.U = nn.Linear(d, N, bias=False)
        self.register_buffer("mask", torch.ones(2, 2, dtype=torch.bool).triu(1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits after the second token."""
        x = self.E(tokens)
        seen = x + self.P.weight
        total = x
        for head in self.heads:
            total = total + head(seen, seen, seen, attn_mask=self.mask, need_weights=False)[0]
        return self.U(total)[:, -1]


def lookup(tokens: int, seeds: int) -> list[Distribution]:
    """Return random look-up tables, one a seed."""
    drawn = [
        families.draw_supports(tokens, (tokens, tokens, 1), g) for g in generators(range(seeds), 1)
    ]
    return [families.power_unif((1.0, 1.0, 1.0), supports, tokens) for supports in drawn]


def original_loop(
    distribution: Distribution, d: int, n_heads: int, steps: int
) -> tuple[Original, float]:
    """Train by the published protocol; return the model and its seconds."""
    model = Original(distribution.N, d, n_heads)
    triples = distribution.sample(64 * BATCH, torch.Generator().manual_seed(0)).view(64, BATCH, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    started = time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - 0.95 * step / STEPS)
        batch = triples[step % 64]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(batch[:, :2]), batch[:, 2]).backward()
        optimizer.step()
    return model, time.process_time() - started


def uniform_accuracy(model: Original, distribution: Distribution) -> float:
    """Return the accuracy over all contexts alike."""
    tokens = torch.cartesian_prod(torch.arange(distribution.N), torch.arange(distribution.N))
    with torch.no_grad():
        guess = model(tokens).argmax(1)
    return float((guess == distribution.conditional.argmax(1)).double().mean())


class Ours:
    """The full-batch engine's training of stacked members, a step at a time."""

    def __init__(self, d: int, n_heads: int, members: int, tokens: int, steps: int):
        point = PointConfig(d=d, d_head=d, n_heads=n_heads, n_layers=1, mlp=False)
        self.model = AttentionMemory(point.model(tokens, FAST), generators(range(members)))
        self.batch = batches.full_batch(lookup(tokens, members), torch.float32)
        self.optimizer, self.steps, self.done = build(ADAM, self.model.parameters()), steps, 0

    def step(self) -> None:
        """Take one step on the whole distribution."""
        for group in self.optimizer.param_groups:
            group["lr"] = ADAM.learning_rate * schedule_factor(ADAM, self.done, self.steps)
        self.optimizer.zero_grad()
        full_batch.divergence(self.model, self.batch).sum().backward()
        self.optimizer.step()
        self.done += 1

    def accuracy(self) -> float:
        """Return the mean accuracy over members and contexts."""
        with torch.no_grad():
            return float(full_batch.accuracy(self.model, self.batch).mean())


def per_step(n_heads: int, steps: int = 30) -> dict[str, float]:
    """Return the ratio of seconds for one model-step, theirs to ours."""
    ours = Ours(D, n_heads, SEEDS, N, 10**6)
    distribution = lookup(N, 1)[0]
    # SEEDS sequential models make SEEDS model-steps where one stacked step makes as many.
    found = timing.ratio(
        repeated(ours.step, steps),
        lambda: original_loop(distribution, D, n_heads, steps * SEEDS),
        repeats=5,
    )
    return {
        "ratio": found["ratio"], "ratio_low": found["ratio_low"], "ratio_high": found["ratio_high"],
        "ours_model_steps_per_s": SEEDS * steps / found["ours_s"],
        "theirs_model_steps_per_s": SEEDS * steps / found["theirs_s"],
    }  # fmt: skip


def repeated(function: Callable[[], object], times: int) -> Callable[[], None]:
    """Return a function that calls another so many times."""

    def run() -> None:
        for _ in range(times):
            function()

    return run


def to_equal_accuracy(n_heads: int) -> dict[str, float]:
    """Return seconds to the uniform accuracy that the original ends with, for SEEDS models each.

    Our steps come in the shortest of a few schedules that reaches it. Accuracies are means over the
    seeds for ours, and over one seed for the original, whose seconds are multiplied: its seeds run
    one after the other.
    """
    distribution = lookup(N, 1)[0]
    model, seconds = original_loop(distribution, D, n_heads, STEPS)
    target, theirs = uniform_accuracy(model, distribution), seconds * SEEDS
    for steps in (100, 150, 200, 300, 400, 600, 900, 1200):
        ours = Ours(D, n_heads, SEEDS, N, steps)
        mine = timing.seconds(repeated(ours.step, steps))
        if ours.accuracy() >= target:
            return {
                "ratio": theirs / mine, "target_accuracy": target, "our_accuracy": ours.accuracy(),
                "our_steps": steps, "ours_s": mine, "theirs_s": theirs,
            }  # fmt: skip
    raise RuntimeError(f"no schedule reached the accuracy {target} at H = {n_heads}")


def costs() -> dict[str, dict[str, float]]:
    """Return our model-steps a second against H, d, N and members."""
    cases = [(H, D, N, SEEDS) for H in (1, 11, 31)]
    cases += [(11, d, N, SEEDS) for d in (3, 7, 13)]
    cases += [(11, D, tokens, SEEDS) for tokens in (25, 70, 100)]
    cases += [(11, D, N, members) for members in (1, 2, 10)]
    rows = {}
    for H, d, tokens, members in cases:
        ours = Ours(d, H, members, tokens, 10**6)
        repeated(ours.step, 3)()
        seconds = min(timing.seconds(repeated(ours.step, 10)) for _ in range(5)) / 10
        rows[f"cost H={H} d={d} N={tokens} members={members}"] = {
            "model_steps_per_s": members / seconds
        }
    return rows


def main() -> None:
    """Compare at H = 1, 11, 31 and draw up the costs."""
    timing.one_thread()
    rows: dict[str, dict[str, float]] = {}
    for n_heads in (1, 11, 31):
        rows[f"model-steps H={n_heads}"] = per_step(n_heads)
        rows[f"equal accuracy H={n_heads}"] = to_equal_accuracy(n_heads)
    timing.record("memory", rows | costs())


if __name__ == "__main__":
    main()
