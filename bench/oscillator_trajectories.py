"""Closed-form trajectories against stepping the propagator, batch by batch."""

import torch

from bench import timing
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.task import initial_in_box, propagator, trajectories

DT = 0.1


def stepped(
    initial: torch.Tensor, omega0: torch.Tensor, gamma: torch.Tensor, steps: int
) -> torch.Tensor:
    """Advance all trajectories one step at a time with their propagators."""
    k = propagator(omega0, gamma, DT).transpose(1, 2)
    states = [initial[:, None]]
    for _ in range(steps - 1):
        states.append(states[-1] @ k)
    return torch.cat(states, dim=1)


def stepped_alone(
    initial: torch.Tensor, omega0: torch.Tensor, gamma: torch.Tensor, steps: int
) -> torch.Tensor:
    """Advance one trajectory after another, as a plain loop over a data set does."""
    each = zip(initial.split(1), omega0.split(1), gamma.split(1), strict=True)
    return torch.cat([stepped(x, w, g, steps) for x, w, g in each])


def main() -> None:
    """Compare with stepping a batch at several sizes, and with stepping each trajectory alone."""
    timing.one_thread()
    rows = {}
    for dtype in (torch.float32, torch.float64):
        for count, steps in ((64, 41), (64, 241), (4096, 241), (64, 2001)):
            stream = generators([0])[0]
            omega0 = (1 + 3 * torch.rand(count, generator=stream)).to(dtype)
            gamma = torch.full_like(omega0, 0.1)
            initial = initial_in_box(count, (0.0, 1.0), stream).to(dtype)

            def closed() -> torch.Tensor:
                return trajectories(initial, omega0, gamma, DT, steps)  # noqa: B023

            def loop() -> torch.Tensor:
                return stepped(initial, omega0, gamma, steps)  # noqa: B023

            difference = float((closed() - loop()).abs().max())
            name = f"{count} x {steps} {str(dtype).removeprefix('torch.')}"
            rows[name] = timing.ratio(closed, loop) | {"greatest_difference": difference}
            if (count, steps) == (64, 241):
                rows[f"{name}, one by one"] = timing.ratio(
                    closed,
                    lambda: stepped_alone(initial, omega0, gamma, steps),  # noqa: B023
                )
    timing.record("oscillator_trajectories", rows)


if __name__ == "__main__":
    main()
