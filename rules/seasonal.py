"""The seasonal baseline: what every hour of every series was expected to be, and how improbable what came is.

All series are carried at once, causally: what is held of a day rests on the days before it. The state has a fixed size
however long the history is. A complete hour is judged and carried (`rules.today`); with the last hour of a day, at
midnight UTC, the day is learnt. A day trains the baseline after two days of quarantine, without the hours that
became part of a flagged stretch meanwhile; a stretch that goes on for `Tuning.adopt_days` is a new normal, and adopted.
How far the sums of each horizon stray on unflagged hours is measured per series, so that a series that wanders by
nature is judged by its own wandering. What a workspace's spend did as a whole on the day before (`rules.shared_growth`)
is expected of each of its keys for a day, so that a launch is not told of once more for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rules.dispersion import Dispersion
from rules.horizons import LONGEST, Law
from rules.leak import Hours, Leak, stands
from rules.materiality import Floors
from rules.profile import DAY, WEEK, Flags, Floats, Profile, Tier
from rules.quarantine import Day, Quarantine
from rules.room import Room
from rules.shared_growth import in_common, parents_of
from rules.today import Block, Judged, Reading, Standing, Ticked, Today
from rules.tuning import Tuning

__all__ = ["Baseline", "Reading", "Tuning", "join", "walk"]

BLOCK = 1 << 15
"""About so many values are judged at a time: what is worked on then stays close to the processor."""


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
        self._quarantine = Quarantine()
        prior = np.array(self.tuning.spread_prior)[:, None]
        self._spread = np.repeat(prior**2 * self.tuning.spread_prior_hours, rows, axis=1)
        self._spread_hours = np.full(rows, self.tuning.spread_prior_hours)
        self._stretch = np.zeros(rows)
        self._level = np.zeros(rows)
        self._spent = np.zeros((2, rows))
        self.hours = np.zeros(rows)
        """Known hours behind each series' level."""
        self._today = Today(rows, self.tuning)
        self._parents = parents_of(tiers, rows)
        self._leak = Leak(self._parents)
        self._shared = np.ones(rows)
        """Times what the profile expects, as its workspace's spend did as a whole on the day before."""
        self._standing: Standing | None = None

    def read(self, values: Floats, hour: int, floors: Floors | None = None, room: Room | None = None) -> Reading:
        """Judge the hours that follow (hours × rows, NaN = missing); the state stays as it is.

        `hour` is that of `values[0]`, counted from a Monday 00:00 UTC; what comes within the `room` is no news.
        """
        standing = self._stand(hour)
        return self._today.peek(self._block(values, hour, room), standing).reading(self.tuning, standing, floors)

    def advance(
        self,
        values: Floats,
        hour: int,
        floors: Floors | None = None,
        untaught: Flags | None = None,
        room: Room | None = None,
    ) -> Reading:
        """Judge complete hours as `read` does, none of them beyond the next midnight UTC, and carry them.

        With the last hour of a day the day is learnt. From hours that are `untaught` (hours × rows) nothing is learnt,
        and they do not count as a new normal; of what comes within the `room` `rules.room` says what is learnt.
        """
        standing = self._stand(hour)
        ticks = self._ticks(values, hour, untaught, room)
        return join([each.reading(self.tuning, standing, floors) for each in ticks])

    def follow(self, values: Floats, hour: int, untaught: Flags | None = None, room: Room | None = None) -> None:
        """Do as `advance` does, where nobody asks what is read."""
        for _ in self._ticks(values, hour, untaught, room):
            pass

    @property
    def ticked(self) -> int:
        """How many hours are carried of the day that is not over."""
        return self._today.ticked.count if self._today.ticked else 0

    def rewind(self) -> None:
        """Forget the hours of the day that is not over, so that it can be begun anew."""
        self._today.rewind()

    def taken(self, places: npt.NDArray[np.intp], tiers: tuple[Tier, ...]) -> Baseline:
        """The rows at these places, each as often as it is named, as they were at the last midnight.

        They borrow as these `tiers` say. A series of which nothing was ever known may stand for any that begins now.
        """
        after = Baseline(0, tiers, self.tuning)
        after._borrows = self._borrows[places]
        after._profile = self._profile.taken(places, tiers)
        after._dispersion = self._dispersion.taken(places)
        after._quarantine = self._quarantine.taken(places)
        after._spread, after._spread_hours = self._spread.take(places, axis=-1), self._spread_hours[places]
        after._stretch, after._level = self._stretch[places], self._level[places]
        after._spent, after.hours = (
            self._spent.take(places, axis=-1),
            self.hours[places],
        )
        after._today = self._today.taken(places)
        after._parents = parents_of(tiers, len(places))
        after._leak = self._leak.taken(places, after._parents)
        after._shared = self._shared[places]
        return after

    def _ticks(self, values: Floats, hour: int, untaught: Flags | None, room: Room | None) -> Iterator[Judged]:
        """Judge block after block; the day is learnt behind the last one."""
        if hour % DAY + len(values) > DAY:
            raise ValueError(f"{len(values)} hours from hour {hour % DAY} reach beyond midnight")
        standing = self._stand(hour)
        length = DAY - hour % DAY + self.ticked
        if hour // DAY * DAY % WEEK != standing.begin or (self.ticked and length != self._today.length):
            raise ValueError(f"hour {hour} does not follow the hours before it")
        step = max(BLOCK // max(values.shape[1], 1), 1)
        for at in range(0, len(values), step):
            some = slice(at, at + step)
            barred = None if untaught is None else untaught[some]
            block = self._block(values[some], hour + at, None if room is None else room.part(some))
            yield self._today.tick(block, standing, length, barred)
        ticked = self._today.ticked
        if ticked is not None and ticked.count == length:
            self._learn(ticked, standing)

    def _stand(self, hour: int) -> Standing:
        """What the days before say of the day: worked out once, by the first hour that is asked for."""
        if self._standing is None:
            tuning = self.tuning
            doubt = tuning.doubt / (1.0 + self.hours / tuning.doubt_hours)
            law = Law(self._dispersion.quantum, self._dispersion.noise, doubt)
            raw = np.sqrt(self._spread / self._spread_hours)
            spread = np.maximum(raw, tuning.least_spread)
            begin = hour % WEEK // DAY * DAY
            expected = self._expect(slice(begin, begin + DAY)) * self._shared
            self._standing = Standing(
                begin,
                expected,
                law,
                law.single(),
                raw,
                spread,
                self._level,
                self.hours,
                self._leak.score,
                self._leak.excess,
                self._leak.usual,
                self._leak.rise,
            )
        return self._standing

    def _block(self, values: Floats, hour: int, room: Room | None) -> Block:
        """The values with what is expected of them."""
        standing = self._stand(hour)
        hours = (hour + np.arange(len(values))) % WEEK
        parts = []
        for at in np.split(hours, np.flatnonzero(hours[1:] % DAY == 0) + 1):
            some = slice(int(at[0]), int(at[-1]) + 1)
            parts.append(standing.expect(some) if standing.has(some) else self._expect(some) * self._shared)
        return Block(values, parts[0] if len(parts) == 1 else np.concatenate(parts), room)

    def _expect(self, hours: slice) -> Floats:
        return self._profile.expected(hours, self._dispersion.quantum, self._dispersion.noise)

    def _learn(self, ticked: Ticked, standing: Standing) -> None:
        tuning = self.tuning
        self._today.close()
        self._standing = None
        hours = slice(standing.begin + DAY - ticked.count, standing.begin + DAY)
        expected = standing.expect(hours)
        day = Day(hours, ticked.seen, ticked.fair, expected, self._level, ticked.present, ticked.untaught, ticked.meant)
        flagged = ticked.odd | ticked.silent
        self.hours += day.present.sum(axis=0)
        self._spent += np.stack([(day.fair * day.present).sum(axis=0), (day.present * (day.fair > 0)).sum(axis=0)])
        keep = np.exp(-ticked.calm / tuning.spread_memory)
        self._spread = self._spread * keep + 2.0 * ticked.strayed
        self._spread_hours = self._spread_hours * keep + ticked.calm
        self._leak.close(day.fair, day.present, day.meant, Hours(day.expected, ticked.short))
        self._share(day)
        self._quarantine.add(day)
        self._quarantine.taint(flagged, ticked.hit)
        # A young series cannot wait: it has nothing else to go by. One of minutes has not even that.
        young = day.present * ((self.hours < tuning.young) & (self.hours >= tuning.newborn))
        day.present[:] -= young
        self._profile.train(day.hours, day.fair, young)
        if len(self._quarantine) > tuning.quarantine_days:
            leaving = self._quarantine.oldest()
            self._profile.train(leaving.hours, leaving.fair, leaving.present)
            weight = leaving.present * np.minimum(self.hours / tuning.ripe, 1.0) ** 2
            weight = weight if leaving.meant is None else np.where(leaving.meant, 0.0, weight)
            self._dispersion.train(leaving.fair, leaving.expected, leaving.level, weight)
        self._adopt(day, day.but(ticked.odd))
        self._refit()
        self._stand(standing.begin + DAY)

    def _share(self, day: Day) -> None:
        """Expect of the next day that what a workspace's spend did as a whole on this one goes on."""
        usual = (day.expected / self._shared * day.present).sum(axis=0)
        came = (day.seen * day.present).sum(axis=0)
        known = (usual > 0) & (self.hours >= WEEK)
        ratios = np.divide(came, usual, out=np.full(len(usual), np.nan), where=known)
        self._shared = np.minimum(in_common(ratios, usual, self._parents), self.tuning.most_shared)

    def _adopt_hours(self, day: Day) -> Floats:
        """How many flagged hours a day must have to count; of a series that works few hours, half of those."""
        worked = (day.seen > 0).sum(axis=0)
        least: Floats = np.clip(np.ceil(worked / 2.0), 1.0, self.tuning.adopt_hours)
        return least

    def _adopt(self, day: Day, flagged: Flags) -> None:
        """Count the days that a stretch has gone on, and take the level of those that have come to stay.

        Only upward: a key that rests is held to come back as it was. What is over by midnight has not come to stay.
        """
        self._stretch = np.where(flagged.sum(axis=0) >= self._adopt_hours(day), self._stretch + 1, 0)
        stays = self._stretch >= self.tuning.adopt_days
        if not stays.any():
            return
        latest = self._today.totals.latest()
        known = stays & (latest[3] <= self.tuning.same_key * latest[1])
        factor = np.divide(latest[3], latest[1], out=np.ones_like(latest[1]), where=known).astype(np.float64)
        stays &= stands(factor, day.expected, day.seen) & (day.seen.sum(axis=0) >= latest[3] / (2.0 * LONGEST / DAY))
        if not stays.any():
            return
        known &= stays
        self._leak.adopt(stays, latest[3])
        self._profile.rescale(known, factor)
        self._dispersion.rescale(known, factor)
        fresh = stays & ~known
        self._anew(fresh)
        self.hours[fresh] = LONGEST
        self._today.adopt(stays, factor)
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
            self._profile.train(day.hours, day.seen, day.taught(rows))
            day.present[:, rows] = 0.0
        level = self._profile.level(self._dispersion.quantum, self._dispersion.noise)
        for day in self._quarantine:
            self._dispersion.train(day.seen, self._expect(day.hours), level, day.taught(rows))

    def _refit(self) -> None:
        self._level = self._profile.level(self._dispersion.quantum, self._dispersion.noise)
        self._dispersion.refit(self._level, self._usual())

    def _usual(self) -> Floats:
        """The lump that each series is held to have until its own past weighs more."""
        leaves = self._level[self._leaves]
        active = leaves[leaves > 0]
        usual = float(np.median(active)) if active.size else 0.0
        own = np.divide(self._spent[0], self._spent[1], out=np.zeros_like(self._level), where=self._spent[1] > 0)
        return np.where(self._borrows, usual, own)


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
    """Carry the first `complete` hours of `values` (hours × rows), so that whole days are learnt, and read the rest;
    what was read.

    `hour` is that of `values[0]`, counted from a Monday 00:00 UTC. By default all hours are complete. With `keep` the
    reading ends where it would have, and covers at most so many days, the one that is not over being one of them. From
    hours that are `untaught` (hours × rows) nothing is learnt; what comes within the `room` is no news.
    """
    complete = len(values) if complete is None else complete
    whole = complete - (hour + complete) % DAY
    since = 0 if keep is None else whole - (max(keep // DAY, 1) - (whole < len(values))) * DAY
    readings: list[Reading] = []
    at = 0
    while at < complete:
        until = min(at + DAY - (hour + at) % DAY, complete)
        barred = None if untaught is None else untaught[at:until]
        some = None if room is None else room.part(slice(at, until))
        if until > since:
            readings.append(baseline.advance(values[at:until], hour + at, floors, barred, some))
        else:
            baseline.follow(values[at:until], hour + at, barred, some)
        at = until
    if at < len(values):
        rest = None if room is None else room.part(slice(at, None))
        readings.append(baseline.read(values[at:], hour + at, floors, rest))
    return join(readings)
