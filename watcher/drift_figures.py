"""How far bill and estimate were apart on the newest settled day, for the faces of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rules.model import Nano
from rules.reconciled import ReconciledDay

MOST_MODELS = 100


@dataclass(frozen=True, slots=True)
class Drifted:
    """One model's estimate and bill on that day, nano-dollars; `model` is None for all that was compared."""

    model: str | None
    estimated: Nano
    billed: Nano

    @property
    def drift(self) -> Nano:
        """The bill minus the estimate."""
        return self.billed - self.estimated

    @property
    def ratio(self) -> float:
        """The drift as a part of the estimate; 0 where nothing was estimated."""
        return self.drift / self.estimated if self.estimated else 0.0


@dataclass(frozen=True, slots=True)
class DriftFigures:
    """The whole first, then the models with the largest drift, at most `MOST_MODELS`."""

    day: date
    rows: tuple[Drifted, ...]


def drift_figures(days: Sequence[ReconciledDay]) -> DriftFigures | None:
    """The figures of the newest settled day on which anything was compared; None without one. `days` are in order."""
    for day in reversed(days):
        cells = [cell for cell in day.cells if cell.sort == "compared"]
        if day.standing == "settled" and cells:
            models: dict[str, tuple[Nano, Nano]] = {}
            for cell in cells:
                estimated, billed = models.get(cell.model, (0, 0))
                models[cell.model] = (estimated + cell.estimated, billed + cell.billed)
            rows = [Drifted(model, *figures) for model, figures in models.items()]
            rows.sort(key=lambda row: (-abs(row.drift), row.model or ""))
            whole = Drifted(None, sum(cell.estimated for cell in cells), sum(cell.billed for cell in cells))
            return DriftFigures(day.day, (whole, *rows[:MOST_MODELS]))
    return None
