"""What this process's workers did: cells computed and taken, and the share of time without work."""

from dataclasses import dataclass


@dataclass
class Account:
    """Counts of cells, and seconds: all workers' together, and of those the time in cells."""

    computed: int = 0
    kept: int = 0
    worker_seconds: float = 0.0
    busy_seconds: float = 0.0

    @property
    def idle(self) -> float | None:
        """The share of the workers' time that they spent in no cell; None without workers."""
        if not self.worker_seconds:
            return None
        return max(0.0, 1 - self.busy_seconds / self.worker_seconds)

    def metrics(self) -> dict[str, float]:
        """Return what is logged of it; nothing of a stage without cells."""
        if not self.computed + self.kept:
            return {}
        counts = {"cells_computed": float(self.computed), "cells_kept": float(self.kept)}
        return counts if self.idle is None else {**counts, "workers_idle_share": self.idle}

    def described(self) -> str:
        """Say in words what is worth a look; nothing of a stage without cells."""
        told = []
        if self.kept:
            told.append(f"{self.kept} of {self.kept + self.computed} cells were kept")
        if self.idle is not None:
            told.append(f"workers idle {self.idle:.0%} of {self.worker_seconds:.0f} s")
        return ", ".join(told)


of_process = Account()
