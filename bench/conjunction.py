"""C4's attention trainings, seeds stacked in the table form, against a plain loop over seeds."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from bench import timing
from pipeline import config
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.datasets import DataSets, draw_data
from pipeline.labs.conjunction.data.task import label
from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.train.fit import INIT, AttentionFit, FitCell, fit
from pipeline.stages.conjunction.train_attention import Params

ROOT = Path(__file__).resolve().parent.parent
STEPS = 50  # of C4's 2,000: both times are straight lines in the steps
REPEATS = 3


class PlainAttention(nn.Module):
    """The tutorial's model as one would write it: T x T scores for every sequence."""

    def __init__(self, start: BinaryAttention, dtype: torch.dtype):
        super().__init__()
        named = {name: value[0].detach().to(dtype) for name, value in start.named_parameters()}
        self.embedding = nn.Embedding.from_pretrained(named["W_E"].clone(), freeze=False)
        self.positions = nn.Parameter(named["W_pos"].clone())
        self.query, self.key, self.value = (linear(named[f"W_{name}"]) for name in "QKV")
        self.readout = linear(named["readout"][:, None])
        self.scale = start.config.d_head**-0.5

    def forward(self, bits: Tensor) -> Tensor:
        """Compute the logits of sequences of bits [sample, position]."""
        x = self.embedding(bits) + self.positions
        scores = torch.einsum("btc,bsc->bts", self.query(x), self.key(x)) * self.scale
        output = torch.einsum("bts,bsc->btc", scores.softmax(-1), self.value(x))
        return self.readout(output[..., 0])[:, 0]


def linear(weight: Tensor) -> nn.Linear:
    """Make a map without bias from x @ weight."""
    made = nn.Linear(*weight.shape, bias=False, dtype=weight.dtype)
    with torch.no_grad():
        made.weight.copy_(weight.T)
    return made


def loop(fits: AttentionFit, seeds: Sequence[int], data: DataSets, dtype: torch.dtype) -> Tensor:
    """Train each seed after another; return their last training losses."""
    labels = label(data.train, data.targets).to(dtype)
    last = []
    for k, seed in enumerate(seeds):
        start = fits.build(data.train.shape[2], generators([seed], INIT))
        assert isinstance(start, BinaryAttention)
        model, bits = PlainAttention(start, dtype), data.train[k].long()
        optimizer = torch.optim.Adam(model.parameters(), lr=fits.optimizer.learning_rate)
        for _ in range(fits.steps):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(bits), labels[k])
            loss.backward()
            optimizer.step()
        last.append(loss.detach().double())
    return torch.stack(last)


def stacked(fits: AttentionFit, seeds: Sequence[int], data: DataSets) -> Tensor:
    """Train the seeds at once, as the pipeline does; return the same."""
    cell = FitCell(name="", config=fits, seeds=seeds, data=data)
    return fit(cell)[1].values["loss"][-1]


def main() -> None:
    """Compare on C4's first task, with the seeds of one of the pipeline's cells of work."""
    timing.one_thread()
    params = config.load(ROOT / config.FILE, Params)
    fits = params.train.fit.model_copy(update={"steps": STEPS})
    group = params.data.groups["sparse"]
    size, [task, *_] = params.train.members_per_cell, group.tasks.values()
    seeds = group.seeds[:size]
    data = draw_data(task, group.train, group.valid, seeds)
    ours = stacked(fits, seeds, data)
    rows = {}
    for dtype in (torch.float64, torch.float32):
        difference = (ours - loop(fits, seeds, data, dtype)).abs().max()
        row = timing.ratio(
            lambda: stacked(fits, seeds, data),
            lambda dtype=dtype: loop(fits, seeds, data, dtype),
            repeats=REPEATS,
        )
        about = {"seeds": len(seeds), "steps": STEPS, "greatest_difference": float(difference)}
        rows[f"against a loop in {str(dtype).removeprefix('torch.')}"] = row | about
    timing.record("conjunction", rows)


if __name__ == "__main__":
    main()
