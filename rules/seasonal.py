"""The seasonal baseline: what every hour of every series was expected to be, and how improbable what came is.

All series are carried at once, day by day, causally: what is held of a day rests on the days before it. The state has
a fixed size however long the history is. A day trains the baseline after two days of quarantine, without the hours that
became part of a flagged stretch meanwhile; a stretch that goes on for `Tuning.adopt_days` is a new normal, and adopted.
How far the sums of each horizon stray on unflagged hours is measured per series, so that a series that wanders by
nature is judged by its own wandering.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.bursts import Bursts, Known
from rules.dispersion import Dispersion
from rules.horizons import HORIZONS, LONGEST, Law, Reals, Totals, values_at, z_score
from rules.materiality import Floors, material_scores
from rules.profile import DAY, WEEK, Flags, Floats, Memory, Profile, Tier
from rules.room import Room
from rules.silence import Silence

ONGOING = ((3, 0, 0.25), (4, 2, 0.75), (5, 2, 0.75))
"""(horizon, newest, part) as places among the horizons: six hours are told while the newest one, a day and three days
while the newest three, still stray by this part of what the whole sum does on average."""


NEARLY = 0.7
"""The score from which an hour makes a burst that the series is known for, told or not."""
FAMILIAR = 0.5
"""The most that an hour scores which the series is known for."""


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
    witnesses: tuple[int, ...] = (0, 2, 3, 5, 10, 0)
    """How many witnesses each horizon takes: no single hour is a story."""
    breadth: float = 0.75
    """The longest horizon takes so large a part of its hours above the expected: what has doubled has no witnesses."""
    familiar: float = 2.0
    """What a flagged hour had is no news a week later, up to so many times as much."""
    told_fades: float = 0.8
    """What is left of that each week in which it is not flagged: meanwhile it trains, and is learnt."""
    habit_hours: int = 6
    """A day with more flagged hours is no habit."""
    silence: float = 4.5
    """How many standard deviations below the expected nothing at all must lie to count as a silence."""
    quarantine_days: int = 2
    adopt_days: int = 4
    """Days running, each with `adopt_hours` flagged hours, after which their level is the normal one."""
    adopt_hours: int = 3
    same_key: float = 20.0
    """Times the expected from which an adopted level is not the old one grown, but something new."""
    spread_memory: float = 28 * 24.0
    """E-folding hours of each horizon's own spread of z-scores."""
    spread_prior: tuple[float, ...] = (1.0, 1.0, 1.1, 1.2, 1.4, 1.6)
    """What it begins with: neighbouring hours stray together, so longer sums stray further than independent hours."""
    spread_prior_hours: float = 96.0
    least_spread: float = 0.9
    doubt: float = 1.5
    doubt_hours: float = 12.0
    """The squared relative error of a level with n hours behind it is doubt / (1 + n / doubt_hours)."""
    young: float = 96.0
    """Hours below which a series trains at once, without quarantine, and its silence is no news."""
    ripe: float = 336.0
    """Hours from which residuals train the dispersion with full weight: before, they are mostly ignorance."""
    memory: Memory = field(default_factory=Memory)
    known: Known = field(default_factory=Known)


class Reading(NamedTuple):
    """Some hours of every series: every array is hours × rows."""

    expected: Floats
    upper: Reals
    """The value at which an hour alone reaches the one-hour threshold."""
    score: Reals
    """The most that any horizon over one hour reached of its threshold: 1 and more is flagged."""
    material: Reals
    """The same over all horizons, where the excess had to reach its floor too: the lesser of both ratios counts.
    Without floors it is the score."""
    z: Reals
    """The largest z-score of any horizon; without floors, the score."""
    silence: Floats
    """1 and more where nothing at all has come for hours that practically always bring something; at most four days."""


class _Day(NamedTuple):
    """What a day in quarantine was held to be; `present` is 1 for the hours that may train."""

    hours: npt.NDArray[np.intp]
    seen: Floats
    fair: Reals
    """What was seen, limited to what is no outlier."""
    expected: Floats
    level: Floats
    present: Floats
    untaught: Flags | None
    meant: Flags | None
    """What was allowed: it is learnt, and says nothing of how far hours stray."""


class _After(NamedTuple):
    """What there is to learn from hours that were judged."""

    scores: Reals
    z: Reals
    """Not yet divided by the spread."""
    odd: Flags
    """What may not train: also a burst that the series is known for."""
    silent: Flags
    totals: Reals
    silence: Silence
    bursts: Bursts


class Baseline:
    """The state of `rows` series. `tiers` tell who borrows whose shape; by default nobody does."""

    def __init__(self, rows: int, tiers: tuple[Tier, ...] = (), tuning: Tuning | None = None) -> None:
        self.tuning = tuning or Tuning()
        tiers = tiers or (Tier(0, rows, None),)
        self._leaves = slice(tiers[-1].begin, tiers[-1].end)
        self._borrows = np.zeros(rows, dtype=np.bool_)
        for tier in tiers:
            self._borrows[tier.begin : tier.end] = tier.parent is not None
        self._profile = Profile(rows, tiers, self.tuning.memory)
        self._dispersion = Dispersion(rows)
        self._totals = Totals(rows)
        self._quarantine: deque[_Day] = deque()
        prior = np.array(self.tuning.spread_prior)[:, None]
        self._spread = np.repeat(prior**2 * self.tuning.spread_prior_hours, rows, axis=1)
        self._spread_hours = np.full(rows, self.tuning.spread_prior_hours)
        self._stretch = np.zeros(rows)
        self._level = np.zeros(rows)
        self._told = np.zeros((WEEK, rows))
        self._spent = np.zeros((2, rows))
        self._silence, self._bursts = Silence(rows), Bursts(rows, self.tuning.known)
        self.hours = np.zeros(rows)
        """Known hours behind each series' level."""

    def read(self, values: Floats, hour: int, floors: Floors | None = None, room: Room | None = None) -> Reading:
        """Judge the hours that follow the last day learnt (hours × rows, NaN = missing); the state stays as it is.

        `hour` is that of `values[0]`, counted from a Monday 00:00 UTC; what comes within the `room` is no news.
        """
        return self._read(values, hour, floors, None, room)[0]

    def advance(
        self,
        values: Floats,
        hour: int,
        floors: Floors | None = None,
        untaught: Flags | None = None,
        room: Room | None = None,
    ) -> Reading:
        """Judge the hours up to the next midnight UTC, as `read` does, and learn from them.

        From hours that are `untaught` (hours × rows) nothing is learnt, and they do not count as a new normal.
        """
        reading, day, after = self._read(values, hour, floors, untaught, room)
        self._learn(day, after)
        return reading

    def _read(
        self,
        values: Floats,
        hour: int,
        floors: Floors | None,
        untaught: Flags | None = None,
        room: Room | None = None,
    ) -> tuple[Reading, _Day, _After]:
        tuning = self.tuning
        hours = (hour + np.arange(len(values))) % WEEK
        quantum, noise = self._dispersion.quantum, self._dispersion.noise
        expected = self._profile.expected(hours, quantum, noise)
        present = np.isfinite(values)
        came = np.where(present, values, 0.0)
        seen = came if room is None else room.news(came, expected)
        doubt = tuning.doubt / (1.0 + self.hours / tuning.doubt_hours)
        law = Law(quantum, noise, doubt)
        spread = np.maximum(np.sqrt(self._spread / self._spread_hours), tuning.least_spread)
        mean, k = law.of(expected, expected * expected)
        levels = np.array([tuning.cap, tuning.train_cap, tuning.train_least, tuning.thresholds[0]])[:, None] * spread[0]
        cap, most, least, upper = values_at(list(levels), mean, k)
        nothing = mean <= 0
        cap[nothing], most[nothing] = np.inf, np.inf
        held = expected * present
        familiar = (seen > expected) & (seen <= tuning.familiar * self._told_near(hours))
        alone = np.where(familiar, 0.0, z_score(seen, mean, k))
        hot = (alone >= tuning.hot * spread[0]) & present
        counted = np.where(familiar, expected, np.minimum(seen, cap))
        above = (seen > expected) & (expected > 0)
        sums, totals = self._totals.sums((counted, held, held * expected, seen, hot, above))
        single = law.single()
        z = np.empty((len(values), len(HORIZONS), values.shape[1]), dtype=np.float32)
        z[:, 0] = alone
        z[:, 1:] = z_score(sums[:, 1:, 0], *single.of(sums[:, 1:, 1], sums[:, 1:, 2]))
        z *= present[:, None]
        scores = z / (spread * np.array(tuning.thresholds)[:, None]).astype(np.float32)
        scores *= sums[:, :, 4] >= np.array(tuning.witnesses, dtype=np.float32)[:, None]
        scores[:, -1] *= (sums[:, -1, 5] >= tuning.breadth * LONGEST) & (self.hours >= WEEK)
        _gate(scores, z, spread)
        scores *= _goes_on(sums)
        depth, news, silence_after = self._silence.read(seen, present, sums, single, spread)
        depth /= tuning.silence
        news &= self.hours >= tuning.young
        odd = scores[:, 1:].max(axis=1)
        told, bursts_after = self._known_for(scores, sums, untaught)
        score = told[:, 1:].max(axis=1)
        material = material_scores(told, sums, floors, self._level) if floors else score
        fair, meant = np.clip(came if room is None else room.usual(came), least, most), None
        likely = expected
        if room is not None:
            meant, likely, upper = room.meant(came, expected), room.planned(expected), upper + room.over(expected)
            fair = fair if meant is None else np.where(meant, came, fair)
        reading = Reading(likely, upper, score, material, (z / spread).max(axis=1) if floors else score, depth * news)
        teaches = present if untaught is None else present & ~untaught
        day = _Day(hours, seen, fair, expected, self._level, teaches.astype(np.float64), untaught, meant)
        return reading, day, _After(scores, z, odd >= 1.0, depth >= 1.0, totals, silence_after, bursts_after)

    def _known_for(self, scores: Reals, sums: Reals, untaught: Flags | None) -> tuple[Reals, Bursts]:
        """The scores without the bursts that a series is known for, and the bursts with these hours."""
        _, two, *_, six = range(4)
        height = np.maximum(sums[:, two, 3] - sums[:, two, 1], 0.0) / HORIZONS[two]
        odd = scores[:, two : six + 1].max(axis=1) >= NEARLY
        familiar, after = self._bursts.read(odd, height)
        if untaught is not None and (odd & untaught).any():
            _, after = self._bursts.read(odd & ~untaught, height)
        if not familiar.any():
            return scores, after
        told = scores.copy()
        told[:, : six + 1] = np.where(familiar[:, None], np.minimum(told[:, : six + 1], FAMILIAR), told[:, : six + 1])
        return told, after

    def _told_near(self, hours: npt.NDArray[np.intp]) -> Floats:
        """The most that a flagged hour of the weeks before had, at the same time give or take an hour."""
        near = np.stack([self._told[(hours + shift) % WEEK] for shift in (-1, 0, 1)])
        most: Floats = near.max(axis=0)
        return most

    def _learn(self, day: _Day, after: _After) -> None:
        tuning = self.tuning
        self._totals.keep(after.totals)
        self._silence, self._bursts = after.silence, after.bursts
        flagged = after.odd | after.silent
        counts = after.odd if day.untaught is None else after.odd & ~day.untaught
        habit = flagged if day.untaught is None else flagged & ~day.untaught
        self.hours += day.present.sum(axis=0)
        short = flagged.sum(axis=0) <= tuning.habit_hours
        self._told[day.hours] = np.where(habit & short, day.seen, tuning.told_fades * self._told[day.hours])
        self._spent += np.stack([(day.fair * day.present).sum(axis=0), (day.present * (day.fair > 0)).sum(axis=0)])
        calm = np.where(flagged, 0.0, day.present)
        keep = np.exp(-calm.sum(axis=0) / tuning.spread_memory)
        spread = np.sqrt(self._spread / self._spread_hours)
        positive = np.clip(after.z, 0.0, 3.5 * spread) ** 2
        self._spread = self._spread * keep + 2.0 * (positive * calm[:, None]).sum(axis=0)
        self._spread_hours = self._spread_hours * keep + calm.sum(axis=0)
        self._quarantine.append(day)
        self._taint(flagged, after.scores)
        # A young series cannot wait: it has nothing else to go by.
        young = day.present * (self.hours < tuning.young)
        day.present[:] -= young
        self._profile.train(day.hours, day.fair, young)
        if len(self._quarantine) > tuning.quarantine_days:
            leaving = self._quarantine.popleft()
            self._profile.train(leaving.hours, leaving.fair, leaving.present)
            weight = leaving.present * np.minimum(self.hours / tuning.ripe, 1.0) ** 2
            weight = weight if leaving.meant is None else np.where(leaving.meant, 0.0, weight)
            self._dispersion.train(leaving.fair, leaving.expected, leaving.level, weight)
        self._adopt(counts)
        self._refit()

    def _taint(self, flagged: Flags, scores: Reals) -> None:
        """Keep the hours of a flagged sum from training, as far back as quarantine reaches."""
        rows = np.flatnonzero(flagged.any(axis=0))
        if not rows.size:
            return
        present = np.concatenate([day.present[:, rows] for day in self._quarantine])
        past = len(present) - len(flagged)
        for place, hours in enumerate(HORIZONS):
            hit = flagged[:, rows] if place == 0 else scores[:, place][:, rows] >= 1.0
            ends = np.concatenate([np.zeros((past, rows.size)), hit, np.zeros((hours, rows.size))]).cumsum(axis=0)
            ahead = ends[hours - 1 : hours - 1 + len(present)]
            before = np.concatenate([np.zeros((1, rows.size)), ends[: len(present) - 1]])
            present = np.where(ahead > before, 0.0, present)
        at = 0
        for day in self._quarantine:
            day.present[:, rows] = present[at : at + len(day.present)]
            at += len(day.present)

    def _adopt(self, flagged: Flags) -> None:
        """Count the days that a stretch has gone on, and take the level of those that have come to stay.

        Only upward: a key that rests is held to come back as it was.
        """
        self._stretch = np.where(flagged.sum(axis=0) >= self.tuning.adopt_hours, self._stretch + 1, 0)
        stays = self._stretch >= self.tuning.adopt_days
        if not stays.any():
            return
        latest = self._totals.latest()
        known = stays & (latest[3] <= self.tuning.same_key * latest[1])
        factor = np.divide(latest[3], latest[1], out=np.ones_like(latest[1]), where=known).astype(np.float64)
        self._profile.rescale(known, factor)
        self._dispersion.rescale(known, factor)
        fresh = stays & ~known
        self._anew(fresh)
        self.hours[fresh] = LONGEST
        self._totals.forget(stays)
        self._stretch[stays] = 0

    def _anew(self, rows: Flags) -> None:
        """Where hardly anything was expected there is no shape to keep: the days in quarantine are all there is.

        They tell how far the hours of the new level stray, too; else it would be held to stray as far as the prior.
        """
        if not rows.any():
            return
        self._profile.forget(rows)
        self._dispersion.forget(rows)
        for day in self._quarantine:
            self._profile.train(day.hours, day.seen, _taught(day, rows))
            day.present[:, rows] = 0.0
        quantum, noise = self._dispersion.quantum, self._dispersion.noise
        level = self._profile.level(quantum, noise)
        for day in self._quarantine:
            expected = self._profile.expected(day.hours, quantum, noise)
            self._dispersion.train(day.seen, expected, level, _taught(day, rows))

    def _refit(self) -> None:
        level = self._level = self._profile.level(self._dispersion.quantum, self._dispersion.noise)
        leaves = level[self._leaves]
        active = leaves[leaves > 0]
        usual = float(np.median(active)) if active.size else 0.0
        own = np.divide(self._spent[0], self._spent[1], out=np.zeros_like(level), where=self._spent[1] > 0)
        self._dispersion.refit(level, np.where(self._borrows, usual, own))


def _taught(day: _Day, rows: Flags) -> Floats:
    """1 for the hours of a day, of these rows, from which something may be learnt."""
    taught = np.broadcast_to(rows, day.seen.shape)
    return (taught if day.untaught is None else taught & ~day.untaught).astype(np.float64)


def _gate(scores: Reals, z: Reals, spread: Floats) -> None:
    """A long sum keeps a finished story alive: what flags must still be going on over the shorter horizons."""
    one, two, three, six, day, week = range(len(HORIZONS))
    least = spread.astype(np.float32)
    scores[:, two] *= z[:, one] >= least[one]
    scores[:, three] *= z[:, one] >= 0.5 * least[one]
    scores[:, six] *= (z[:, one] >= least[one]) | (z[:, two] >= least[two])
    scores[:, day] *= z[:, six] >= 1.5 * least[six]
    scores[:, week] *= (z[:, day] >= 2.0 * least[day]) & (z[:, six] >= least[six])


def _goes_on(sums: Reals) -> Flags:
    """Whether what each sum strayed by is still coming, so that an incident that has ended is soon over.

    The newest hours must stray by a part of what the whole sum does, in its unit an hour or relative to the expected:
    at night a key that spends three times as much as usual strays by little, but still threefold.
    """
    excess = sums[:, :, 0] - sums[:, :, 1]
    result = np.ones(excess.shape, dtype=np.bool_)
    for place, newest, part in ONGOING:
        least = part * excess[:, place]
        result[:, place] = excess[:, newest] * (HORIZONS[place] / HORIZONS[newest]) >= least
        result[:, place] |= excess[:, newest] * sums[:, place, 1] >= least * sums[:, newest, 1]
    return result


def join(readings: Sequence[Reading]) -> Reading:
    """Readings that follow each other, as one."""
    return Reading(*(np.concatenate(parts) for parts in zip(*readings, strict=True)))


def walk(
    baseline: Baseline,
    values: Floats,
    hour: int,
    floors: Floors | None = None,
    *,
    complete: int | None = None,
    keep: int | None = None,
    untaught: Flags | None = None,
    room: Room | None = None,
) -> Reading:
    """Learn all whole days among the first `complete` hours of `values` (hours × rows), read the rest; what was read.

    `hour` is that of `values[0]`, counted from a Monday 00:00 UTC. By default all hours are complete. With `keep` the
    reading ends where it would have, and begins at most `keep` hours before the end of the days learnt. From hours that
    are `untaught` (hours × rows) nothing is learnt; what comes within the `room` is no news.
    """
    complete = len(values) if complete is None else complete
    readings: deque[Reading] = deque(maxlen=None if keep is None else max(keep // DAY, 1))
    at = 0
    while (until := at + DAY - (hour + at) % DAY) <= complete:
        recent = keep is None or until > complete - keep
        barred = None if untaught is None else untaught[at:until]
        some = None if room is None else room.part(slice(at, until))
        readings.append(baseline.advance(values[at:until], hour + at, floors if recent else None, barred, some))
        at = until
    if at < len(values):
        rest = None if room is None else room.part(slice(at, None))
        readings.append(baseline.read(values[at:], hour + at, floors, rest))
    return join(readings)
