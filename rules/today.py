"""The hours of one day, judged by what was learnt before it, and carried until the day is over.

What is the same for the whole day (`Standing`) is worked out once. An hour more costs the work for this hour: running
totals, silences and bursts go on from where the hour before left them. Nothing of what was learnt is touched, so that
the day can be begun anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.bursts import Bursts
from rules.exceedance import Exceedances
from rules.horizons import HORIZONS, LONGEST, Law, Reals, Totals, values_at, z_score
from rules.leak import goes_on
from rules.materiality import DEAR, Floors, material_scores
from rules.profile import DAY, WEEK, Flags, Floats
from rules.room import Room
from rules.silence import Silence
from rules.tuning import Tuning

ONGOING = ((3, 0, 0.25), (4, 2, 0.75), (5, 2, 0.75))
"""(horizon, newest, part) as places among the horizons: six hours are told while the newest one, a day and three days
while the newest three, still stray by this part of what the whole sum does on average."""
TWO, SIX = 1, 3
"""The places of two and six hours among the horizons."""
NEARLY = 0.7
"""The score from which an hour makes a burst that the series is known for, told or not."""
FAMILIAR = 0.5
"""The most that an hour scores which the series is known for."""
DEAR_HORIZONS = 3
"""One, two and three hours."""


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What the days before say of a day; one entry a series, spreads have one a horizon and series."""

    begin: int
    """The hour of the week that the day begins at."""
    expected: Floats
    """24 hours × rows."""
    law: Law
    single: Law
    raw: Floats
    """The spread as it was measured."""
    spread: Floats
    """The same, at least `Tuning.least_spread`."""
    level: Floats
    hours: Floats
    """Known hours behind the level."""
    leak: Floats
    """What the last midnight found of spend that creeps: from 1 on it does."""
    crept: Floats
    """What that has cost so far."""
    usual: Floats
    """What the day would cost had it not crept."""
    rise: Floats
    """How many times that the newest day came to, where it may be a burst that is over; 0 elsewhere."""

    def before(self, floors: Floors) -> Floats:
        """What part of the expected is left where spend creeps: what it has followed of that is no normal spend."""
        whole = self.expected.sum(axis=0)
        creeps = (self.leak >= 1.0) & (floors.crept(self.crept) >= 1.0) & (whole > self.usual)
        result: Floats = np.divide(self.usual, whole, out=np.ones_like(whole), where=creeps)
        return result

    def has(self, hours: slice) -> bool:
        """Whether these hours of the week are the day's."""
        return bool(self.begin <= hours.start and hours.stop <= self.begin + DAY)

    def expect(self, hours: slice) -> Floats:
        """What is expected of these hours of the week."""
        return self.expected[hours.start - self.begin : hours.stop - self.begin]


class Ticked:
    """What there is to learn from a day's hours, `count` of them so far; arrays are hours × rows."""

    def __init__(self, hours: int, rows: int) -> None:
        self.count = 0
        self.seen, self.fair = np.zeros((2, hours, rows))
        """`fair` is what was seen, limited to what is no outlier."""
        self.present = np.zeros((hours, rows), dtype=np.float32)
        """1 for the hours that may train."""
        self.odd, self.silent = np.zeros((2, hours, rows), dtype=np.bool_)
        """`odd` is what may not train: also a burst that the series is known for."""
        self.hit = np.zeros((hours, len(HORIZONS), rows), dtype=np.bool_)
        """Which horizons flag."""
        self.strayed = np.zeros((len(HORIZONS), rows))
        """Squared z-scores above zero of the hours that teach and were not flagged, summed."""
        self.calm = np.zeros(rows)
        """How many these are."""
        self.untaught: Flags | None = None
        self.meant: Flags | None = None
        """What was allowed: it is learnt, and says nothing of how far hours stray."""

    @property
    def short(self) -> Flags:
        """The odd hours by what two, three and six hours say."""
        short: Flags = np.any(self.hit[:, TWO : SIX + 1], axis=1)
        return short

    def take(self, judged: Judged, standing: Standing, tuning: Tuning, untaught: Flags | None) -> None:
        """Take the next hours."""
        at = slice(self.count, self.count + len(judged.seen))
        self.count = at.stop
        if untaught is not None:
            self.untaught = np.zeros(self.seen.shape, dtype=np.bool_) if self.untaught is None else self.untaught
            self.untaught[at] = untaught
        if (meant := judged.meant()) is not None:
            self.meant = np.zeros(self.seen.shape, dtype=np.bool_) if self.meant is None else self.meant
            self.meant[at] = meant
        teaches = judged.present if untaught is None else judged.present & ~untaught
        self.seen[at], self.fair[at], self.present[at] = judged.seen, judged.fair(tuning, standing.spread), teaches
        self.hit[at] = judged.scores >= 1.0
        self.odd[at] = odd = self.hit[at, 1:].any(axis=1)
        self.silent[at] = silent = judged.depth >= 1.0
        calm = teaches & ~(odd | silent)
        most = 3.5 * standing.raw
        for z, own in zip(judged.z, calm, strict=True):
            self.strayed += np.clip(z, 0.0, most) ** 2 * own
        self.calm += calm.sum(axis=0)


class Today:
    """A day of `rows` series. Between two days (`close`) it holds what the last days were, and nothing of the next."""

    def __init__(self, rows: int, tuning: Tuning) -> None:
        self._tuning = tuning
        self._rows = rows
        self.totals = Totals(rows)
        self._silence, self._bursts = Silence(rows), Bursts(rows, tuning.known)
        self._exceedances = Exceedances(rows, tuning.exceeding)
        self._quiet, self._known, self._exceeding = self._silence, self._bursts, self._exceedances
        """All three as they are with the hours of the day."""
        self.ticked: Ticked | None = None

    @property
    def length(self) -> int:
        """How many hours of the day are judged once it is over: less than 24 where the first one is not whole."""
        return len(self.ticked.seen) if self.ticked else 0

    def rewind(self) -> None:
        """Forget the hours of the day."""
        self.totals.rewind()
        self._quiet, self._known, self._exceeding = self._silence, self._bursts, self._exceedances
        self.ticked = None

    def close(self) -> None:
        """Let the hours of the day be the past."""
        self.totals.close()
        self._silence, self._bursts, self._exceedances = self._quiet, self._known, self._exceeding
        if self.ticked is not None:
            self._exceedances.learn(self.ticked.seen, (self.ticked.present > 0) & ~self.ticked.odd)
        self.ticked = None

    def adopt(self, rows: Flags, factor: Floats) -> None:
        """Begin anew for `rows`, whose level is so many times what it was. Only between two days."""
        self.totals.forget(rows)
        self._exceedances.rescale(rows, factor)
        self._exceeding = self._exceedances

    def taken(self, places: npt.NDArray[np.intp]) -> Today:
        """The rows at these places as they were before the day."""
        after = Today(0, self._tuning)
        after._rows = len(places)
        after.totals = self.totals.taken(places)
        after._silence = after._quiet = self._silence.taken(places)
        after._bursts = after._known = self._bursts.taken(places)
        after._exceedances = after._exceeding = self._exceedances.taken(places)
        return after

    def tick(self, block: Block, standing: Standing, length: int, untaught: Flags | None) -> Judged:
        """Judge the next hours of a day of this length, and let them stay; the hours `untaught` teach nothing."""
        if self.ticked is None:
            self.ticked = Ticked(length, self._rows)
            self._known = self._bursts.copy()
        ticked = self.ticked
        judged, self._quiet, self._exceeding = self._judge(block, standing, keep=True)
        bursts = judged.bursts()
        if untaught is None:
            told = judged.but(self._known.follow(*bursts))
        else:
            told = judged.but(self._familiar(bursts, untaught))
        ticked.take(judged, standing, self._tuning, untaught)
        return told

    def _familiar(self, bursts: OddHours, untaught: Flags) -> Flags:
        """Which of the odd hours are familiar, hour by hour: those `untaught` are no past of the next one."""
        familiar = np.zeros(bursts.odd.shape, dtype=np.bool_)
        for at in range(len(familiar)):
            hour = slice(at, at + 1)
            familiar[hour] = self._known.read(bursts.odd[hour], bursts.height[hour])
            self._known.follow(bursts.odd[hour] & ~untaught[hour], bursts.height[hour])
        return familiar

    def peek(self, block: Block, standing: Standing) -> Judged:
        """Judge hours that follow, and keep nothing of them."""
        judged, *_ = self._judge(block, standing, keep=False)
        return judged.but(self._known.read(*judged.bursts()))

    def _judge(self, block: Block, standing: Standing, *, keep: bool) -> tuple[Judged, Silence, Exceedances]:
        tuning, spread = self._tuning, standing.spread
        values, expected, room = block
        present = np.isfinite(values)
        came = np.where(present, values, 0.0)
        seen = came if room is None else room.news(came, expected)
        mean, k = standing.law.of(expected, expected * expected)
        (cap,) = values_at([tuning.cap * spread[0]], mean, k)
        cap[mean <= 0] = np.inf
        held = expected * present
        over = seen > expected
        alone = z_score(seen, mean, k)
        hot, sharp = ((alone >= least * spread[0]) & present for least in (tuning.hot, tuning.pair))
        counted = np.minimum(seen, cap)
        columns = (counted, held, held * expected, seen, hot, over & (expected > 0), sharp)
        sums = self.totals.sums(columns, keep=keep)
        z = np.empty((len(values), len(HORIZONS), values.shape[1]), dtype=np.float32)
        z[:, 0] = alone
        z[:, 1:] = z_score(sums[:, 1:, 0], *standing.single.of(sums[:, 1:, 1], sums[:, 1:, 2]))
        z *= present[:, None]
        scores = z / (spread * np.array(tuning.thresholds)[:, None]).astype(np.float32)
        scores *= sums[:, :, 4] >= np.array(tuning.witnesses, dtype=np.float32)[:, None]
        scores[:, TWO] *= sums[:, TWO, 6] >= tuning.witnesses[TWO]
        scores[:, -1] *= (sums[:, -1, 5] >= tuning.breadth * LONGEST) & (standing.hours >= WEEK)
        _gate(scores, z, spread)
        scores *= _goes_on(sums)
        exceeds, exceeding = self._exceeding.read(seen, present, expected, standing.hours)
        np.maximum(scores[:, SIX], exceeds, out=scores[:, SIX])
        depth, news, quiet = self._quiet.read(seen, present, sums, standing.single, spread)
        depth /= tuning.silence
        news &= standing.hours >= tuning.young
        return (
            Judged(expected, mean, k, present, seen, sums, z, scores, scores, depth, news, came, room),
            quiet,
            exceeding,
        )


class Block(NamedTuple):
    """Hours that follow each other: `values` (NaN = missing) and `expected` are hours × rows; what comes within the
    `room` is no news."""

    values: Floats
    expected: Floats
    room: Room | None = None


class OddHours(NamedTuple):
    """What `rules.bursts` reads, both hours × rows."""

    odd: Flags
    height: Reals


class Judged(NamedTuple):
    """What was made of some hours."""

    expected: Floats
    mean: Reals
    k: Reals
    present: Flags
    seen: Floats
    sums: Reals
    z: Reals
    """Hours × horizons × rows, like the scores; not yet divided by the spread."""
    scores: Reals
    told: Reals
    """The scores without the bursts that a series is known for."""
    depth: Floats
    news: Flags
    came: Floats
    """What was seen with what came within the room; `seen` is without it."""
    room: Room | None

    def bursts(self) -> OddHours:
        """Which of the hours are odd, and how far an hour and the one before it lie above the expected."""
        _, two, *_, six = range(4)
        height = np.maximum(self.sums[:, two, 3] - self.sums[:, two, 1], 0.0) / HORIZONS[two]
        return OddHours(self.scores[:, two : six + 1].max(axis=1) >= NEARLY, height)

    def but(self, familiar: Flags) -> Judged:
        """The same, where these hours belong to a burst that the series is known for."""
        if not familiar.any():
            return self
        *_, six = range(4)
        told = self.scores.copy()
        told[:, : six + 1] = np.where(familiar[:, None], np.minimum(told[:, : six + 1], FAMILIAR), told[:, : six + 1])
        return self._replace(told=told)

    def fair(self, tuning: Tuning, spread: Floats) -> Floats:
        """What was seen, limited to what is no outlier; as it came where that was allowed."""
        most, least = values_at([tuning.train_cap * spread[0], tuning.train_least * spread[0]], self.mean, self.k)
        most[self.mean <= 0] = np.inf
        result: Floats = np.clip(self.seen if self.room is None else self.room.usual(self.came), least, most)
        meant = self.meant()
        return result if meant is None else np.where(meant, self.came, result)

    def meant(self) -> Flags | None:
        """Which hours came as was allowed; None where nothing was."""
        return None if self.room is None else self.room.meant(self.came, self.expected)

    def reading(self, tuning: Tuning, standing: Standing, floors: Floors | None) -> Reading:
        """What is told of the hours."""
        spread = standing.spread
        (upper,) = values_at([tuning.thresholds[0] * spread[0]], self.mean, self.k)
        score = self.told[:, 1:].max(axis=1)
        material = score
        if floors:
            leak = np.minimum(standing.leak, floors.crept(standing.crept)) * self._creeps(standing)
            material = material_scores(self.told, self.sums, floors, standing.level)
            material = np.maximum(np.maximum(material, self._dear(tuning, spread, floors)), leak)
        z = (self.z / spread).max(axis=1) if floors else score
        expected = self.expected if floors is None else self.expected * standing.before(floors)
        if self.room is not None:
            expected, upper = self.room.planned(expected), upper + self.room.over(self.expected)
        return Reading(expected, upper, score, material, z, self.depth * self.news)

    def _creeps(self, standing: Standing) -> Flags:
        """Whether the newest three and six hours go on as what creeps up did, where that is asked."""
        whole, result = np.maximum(standing.expected.sum(axis=0), 1e-12), self.present
        usual = np.minimum(standing.usual, whole)
        for place in (2, SIX):
            shares = self.sums[:, place, 1] / whole
            result = result & goes_on(standing.rise, usual, self.sums[:, place, 3], shares)
        return result

    def _dear(self, tuning: Tuning, spread: Floats, floors: Floors) -> Reals:
        """The scores of one, two and three hours that are so dear that they are news, whatever the series is known for.

        The newest hour must still cost half of what they cost on average.
        """
        excess = self.sums[:, :DEAR_HORIZONS, 3] - self.sums[:, :DEAR_HORIZONS, 1]
        result = np.zeros(self.seen.shape, dtype=np.float32)
        least = DEAR * floors.one_hour
        for place, hours in enumerate(HORIZONS[:DEAR_HORIZONS]):
            own = excess[:, place]
            at = np.nonzero((own >= least) & (excess[:, 0] * 2.0 * hours >= own) & self.present)
            if not at[0].size:
                continue
            mean = np.maximum(self.sums[:, place, 1][at], self.mean[at])
            z = z_score(self.sums[:, place, 3][at], mean, self.k[at]) / spread[place][at[1]]
            result[at] = np.maximum(result[at], np.minimum(z / tuning.thresholds[place], own[at] / least))
        return result


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
