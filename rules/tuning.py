"""The numbers behind the seasonal baseline's judgement. Each has its reason beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rules.bursts import Known
from rules.exceedance import Exceeding
from rules.profile import Memory


@dataclass(frozen=True, slots=True)
class Tuning:
    """The numbers behind the judgement; z-scores count the standard deviations of the horizon's own spread."""

    thresholds: tuple[float, ...] = (6.0, 3.8, 3.6, 3.4, 3.75, 3.75)
    """One a horizon (1, 2, 3, 6, 24, 72 hours)."""
    cap: float = 6.0
    """An hour counts in longer sums only up to this z-score, so that one spike does not carry a day."""
    train_cap: float = 4.5
    """An hour trains only up to this z-score, and down to the next one."""
    train_least: float = -3.0
    hot: float = 2.5
    """The z-score from which an hour by itself bears witness."""
    pair: float = 3.0
    """The same for each of two hours that are told alone: so few must be clearer."""
    witnesses: tuple[int, ...] = (0, 2, 3, 5, 10, 0)
    """How many witnesses each horizon takes: no single hour is a story."""
    breadth: float = 0.75
    """The longest horizon takes so large a part of its hours above the expected: what has doubled has no witnesses."""
    silence: float = 4.5
    """How many standard deviations below the expected nothing at all must lie to count as a silence."""
    quarantine_days: int = 2
    adopt_days: int = 4
    """Days running, each with `adopt_hours` flagged hours, after which their level is the normal one."""
    adopt_hours: int = 3
    same_key: float = 20.0
    """Times the expected from which an adopted level is not the old one grown, but something new."""
    most_shared: float = 4.0
    """Times the usual that a workspace's spend may have in common and be expected on the day after."""
    spread_memory: float = 28 * 24.0
    """E-folding hours of each horizon's own spread of z-scores."""
    spread_prior: tuple[float, ...] = (1.0, 1.0, 1.1, 1.2, 1.4, 1.6)
    """What it begins with: neighbouring hours stray together, so longer sums stray further than independent hours."""
    spread_prior_hours: float = 96.0
    least_spread: float = 0.9
    doubt: float = 1.5
    doubt_hours: float = 12.0
    """The squared relative error of a level with n hours behind it is doubt / (1 + n / doubt_hours)."""
    newborn: float = 6.0
    """Hours below which a series trains nothing at once: what began just before midnight would be normal after it."""
    young: float = 96.0
    """Hours below which a series trains at once, without quarantine, and its silence is no news."""
    ripe: float = 336.0
    """Hours from which residuals train the dispersion with full weight: before, they are mostly ignorance."""
    memory: Memory = field(default_factory=Memory)
    known: Known = field(default_factory=Known)
    exceeding: Exceeding = field(default_factory=Exceeding)
