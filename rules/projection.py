"""From habits to what is still to come: expected spend, its variance, and what an odd stretch adds to either side.

**Trend.** The slope of the level by weighted regression, shrunk towards none by how uncertain it is (`SLOPES_DIFFER`),
and damped ahead, since nothing grows at one pace for ever.

**Odd stretches.** Where the newest blocks all lie off on one side of what was held before them, and their mean by
several standard deviations, something has begun that habits do not hold. How long it goes on is judged by how long it
has: P(more than t further days | d days so far) = c·d / (c·d + t), a Pareto law. So an excess of one day is projected
for one day more (median; 1/9 of a day to nine days is the 80 % interval), and one of a week for a week: a burst is
never projected for ever, and what has come to stay is learned as the level. Spend that has fallen is held to stay
eight times as long as it has lasted, and a scope that has fallen silent for two days against expectation to have
ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rules.habits import BLOCK, WEEK, Blocks, Course, Flags, Floats, Rhythm, ratio

SLOPES_DIFFER = 0.005
"""How far daily growth usually lies from none (standard deviation), for the slope that is projected."""
SLOPE_DOUBT = 0.0004
"""The most that is left unknown of the slope, a day, for the interval."""
DAMPING = 0.98
TREND_NEEDS = 14.0
"""Days of history below which no trend is projected."""
LEAST_LUMP = 0.15

LONGEST_STRETCH = 10
STRETCH_NEEDS = 7.0
"""Days of history before a stretch, without which there is no habit to stray from."""
UPWARD, DOWNWARD = 4.0, 3.0
"""Standard deviations by which the mean of a stretch must lie off."""
EACH = 1.5
"""And each of its blocks."""
LASTS_UP, LASTS_DOWN = 1.0, 8.0
NEVER = 1e9
SILENT = 0.02

FRESH = 6
"""Hours that tell whether an excess still goes on."""
STILL = 2.0
"""An excess is held to go on at up to this multiple of its pace in these hours."""
MUTE = 0.02
"""Where less than this part of a day is expected in them, they cannot tell."""

NORMAL = 1.2815515655446004
"""Of the standard normal distribution, 10 % lie beyond it on either side."""
WIDEST = 4.0
"""The squared relative error at which the approximation is still one."""

IGNORANCE = 0.3
"""Squared relative error that a scope of no history has beyond its noise."""
UNLEARNED = 8.0
"""E-folding time of that, in days of history."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The newest blocks where they are off: how many, by how much a day, and what the level is held to be beside it."""

    days: Floats
    excess: Floats
    level: Floats
    silent: Flags

    def still(self, fresh: Floats, expected: Floats) -> Stretch:
        """Without the part of an excess that the last `FRESH` hours show no more: what they brought, and should have.

        The excess counts as going on at the larger of two paces, in money and relative to what was expected, since one
        that follows the day's rhythm is small at night. Nothing expected and nothing seen says nothing.
        """
        pace = np.maximum((fresh - expected) * BLOCK / FRESH, self.level * (ratio(fresh, expected, otherwise=1.0) - 1))
        mute = (expected < MUTE * self.level) & (fresh <= expected)
        bound = np.where(mute, np.inf, STILL * np.maximum(pace, 0.0))
        return replace(self, excess=np.minimum(self.excess, bound))


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is to come, summed up from the first block ahead to the end of each (rows × blocks).

    `low`, `middle` and `high` are what odd stretches add at the 10 %, 50 % and 90 % of their duration.
    """

    mean: Floats
    variance: Floats
    low: Floats
    middle: Floats
    high: Floats
    gaps: Floats
    """What single hours are expected to bring that are asked for apart (rows × hours)."""

    def grouped(self, owner: npt.NDArray[np.intp], groups: int) -> Ahead:
        """The sums of the rows of each group; `owner` tells each row's. Errors of rows are taken as independent."""
        sums = []
        for part in (self.mean, self.variance, self.low, self.middle, self.high, self.gaps):
            total = np.zeros((groups, part.shape[1]))
            np.add.at(total, owner, part)
            sums.append(total)
        return Ahead(*sums)

    def curves(self) -> tuple[Floats, Floats, Floats]:
        """The running sums' lower bound, middle and upper bound, each of which never falls."""
        middle = np.maximum.accumulate(np.maximum(self.mean + self.middle, 0.0), axis=1)
        low = np.maximum.accumulate(np.maximum(gamma(self.mean, self.variance, -NORMAL) + self.low, 0.0), axis=1)
        high = np.maximum.accumulate(np.maximum(gamma(self.mean, self.variance, NORMAL) + self.high, 0.0), axis=1)
        return np.minimum(low, middle), middle, np.maximum(high, middle)


def gamma(mean: Floats, variance: Floats, z: float) -> Floats:
    """The quantile of a gamma distribution at the standard normal `z`, by Wilson and Hilferty's approximation."""
    square = np.minimum(ratio(variance, mean * mean), WIDEST)
    result: Floats = mean * np.maximum(1 - square / 9 + z * np.sqrt(square / 9), 0.0) ** 3
    return result


def stretch_of(course: Course) -> Stretch:
    """The stretch, if any, that strays furthest for its length; none is 0 days."""
    now = course.level[-1]
    days, excess, best, level = np.zeros_like(now), np.zeros_like(now), np.zeros_like(now), now.copy()
    count = len(course.level) - 1
    for length in range(1, min(LONGEST_STRETCH, count - 1) + 1):
        before, noise = course.level[count - length], course.noise[count - length]
        rate, weight = course.rate[:, -length:], course.weight[:, -length:]
        total = weight.sum(axis=1)
        mean = ratio((rate * weight).sum(axis=1), total)
        stray = before * np.sqrt(noise * (1 / np.maximum(total, 1e-6) + 1 / np.maximum(course.memory, 1.0)))
        z = ratio(mean - before, stray)
        each = ratio(rate - before[:, None], (before * np.sqrt(noise))[:, None]) * np.sqrt(weight)
        tells = weight > LEAST_LUMP
        upward = (z > UPWARD) & ((each > EACH) | ~tells).all(axis=1)
        downward = (z < -DOWNWARD) & ((each < -EACH) | ~tells).all(axis=1) & (length > 1)
        life = course.days - length
        odd = (upward | downward) & (life >= STRETCH_NEEDS)
        # What was there for a shorter time than it has been silent is over, though it never had a habit.
        brief = (length > 1) & (life > 0) & (life <= length) & (total > LEAST_LUMP)
        mute = ((odd & downward) | brief) & (mean <= SILENT * before)
        depth = np.where(mute, NEVER + length, np.where(upward, z / UPWARD, -z / DOWNWARD))
        odd = (odd | mute) & (before > 0) & (depth > best)
        days, best = np.where(odd, length, days), np.where(odd, depth, best)
        # Upward the level stays as it is by now, so that more spend never makes for less to come.
        level = np.where(odd, np.where(upward, now, before), level)
        excess = np.where(odd, np.where(upward, np.maximum(mean - now, 0.0), mean - before), excess)
    return Stretch(days, excess, level, (days > 0) & (excess <= -(1 - SILENT) * level))


def slope_of(course: Course) -> tuple[Floats, Floats]:
    """Relative growth a day, and the standard deviation of what is not known of it."""
    count = course.rate.shape[1]
    held = course.level[1:].T
    stray = held * np.sqrt(course.noise[1:].T * ratio(np.ones_like(course.weight), course.weight))
    rate = np.clip(course.rate, held - 2.5 * stray, held + 2.5 * stray)
    first = (course.weight > 0).argmax(axis=1)
    weight = course.weight * (np.arange(count) > first[:, None])
    total = weight.sum(axis=1)
    time = np.arange(count) - count + 1.0
    middle = ratio((weight * time).sum(axis=1), total)[:, None]
    mean = ratio((weight * rate).sum(axis=1), total)
    moment = (weight * (time - middle) ** 2).sum(axis=1)
    slope = ratio((weight * (time - middle) * (rate - mean[:, None])).sum(axis=1), moment * mean)
    # The slope of a random walk over n steps has variance 6/5 · drift / n.
    error = ratio(course.noise[-1], moment) + 1.2 * course.drift / np.maximum(course.days, 1.0)
    shrunk = slope * SLOPES_DIFFER**2 / (SLOPES_DIFFER**2 + error)
    doubt = np.sqrt(SLOPE_DOUBT**2 * error / (SLOPE_DOUBT**2 + error))
    return np.where(course.days >= TREND_NEEDS, shrunk, 0.0), doubt


def shares(rhythm: Rhythm, begin: int, end: int) -> Floats:
    """What part of each block ahead lies in the hours [begin, end) from now, by the rhythm's hours (rows × blocks)."""
    blocks = max(-(-end // BLOCK), 0)
    running = np.concatenate([np.zeros((*rhythm.hour.shape[:2], 1)), rhythm.hour.cumsum(axis=2)], axis=2)
    places = np.arange(blocks) % WEEK
    first = np.clip(begin - BLOCK * np.arange(blocks), 0, BLOCK)
    last = np.clip(end - BLOCK * np.arange(blocks), 0, BLOCK)
    part: Floats = running[:, places, last] - running[:, places, first]
    return part


def project(
    blocks: Blocks, course: Course, rhythm: Rhythm, begin: int, end: int, gaps: npt.NDArray[np.intp] | None = None
) -> Ahead:
    """What the hours [begin, end) from now are expected to bring, `0 ≤ begin ≤ end`.

    `gaps` are further hours, counted from now and negative before it, of which each is asked for by itself.
    """
    stretch = stretch_of(course)
    newest = slice(BLOCK - FRESH, BLOCK)
    expected = (
        stretch.level * rhythm.weekday[:, -1] * (rhythm.hour[:, -1, newest] * blocks.known[-1, newest]).sum(axis=1)
    )
    stretch = stretch.still(blocks.spend[:, -1, newest].sum(axis=1), expected)
    slope, doubt = slope_of(course)
    part = shares(rhythm, begin, end)
    count = part.shape[1]
    factor = rhythm.weekday[:, np.arange(count) % WEEK] * part
    further = course.age[:, None] + np.cumsum(DAMPING ** np.arange(count))
    level = stretch.level[:, None]
    expected = level * np.exp(np.clip(slope[:, None] * further, -2.0, 2.0)) * factor
    mean = expected.cumsum(axis=1)
    noise = (course.spread[:, None] * expected**1.5 * np.sqrt(level)).cumsum(axis=1)
    days = np.arange(1.0, count + 1)
    relative = course.doubt[:, None] + course.drift[:, None] * days / 3
    relative = relative + (doubt[:, None] * (course.age[:, None] + days / 2)) ** 2
    relative = relative + IGNORANCE * np.exp(-course.days[:, None] / UNLEARNED)
    asked = np.zeros(0, dtype=np.intp) if gaps is None else gaps
    place = asked // BLOCK % WEEK
    single = level * rhythm.weekday[:, place] * rhythm.hour[:, place, asked % BLOCK]
    return Ahead(mean, noise + mean**2 * relative, *_lasting(stretch, factor), single)


def _lasting(stretch: Stretch, factor: Floats) -> tuple[Floats, Floats, Floats]:
    """What the stretch adds when it goes on for a short, a middling and a long time; least spend first."""
    up = stretch.excess > 0
    ended = stretch.silent & (stretch.days >= 2)
    sums = []
    for rise, fall, silence in ((1 / 9, 9.0, NEVER), (1.0, 1.0, NEVER), (9.0, 1 / 9, 1.0)):
        downward = np.where(ended, silence, fall * LASTS_DOWN)
        lasts = np.where(up, rise * LASTS_UP, downward) * stretch.days
        covered = np.clip(lasts[:, None] - np.arange(factor.shape[1]), 0.0, 1.0)
        sums.append((stretch.excess[:, None] * factor * covered).cumsum(axis=1))
    low, middle, high = sums
    return low, middle, high
