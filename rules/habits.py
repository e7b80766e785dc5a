"""What many scopes usually spend: level, weekly rhythm and how far a day strays, for all of them at once.

The hours are cut into *blocks* of 24, counted back from the newest complete hour. So there is never a half day to make
up for, every block holds each hour of the day once, and a block's place modulo seven is its day of the week.

**Rhythm.** Each block's place in the week has a factor (mean 1), and each hour of it a share. Both are means over the
weeks, newer ones weighing more, one outlier capped, and lean on a borrowed rhythm by how unsteady the scope is: the
weekday factor as in empirical Bayes, by the ratio of its noise to `WEEKDAYS_DIFFER`.

**Level.** Simple exponential smoothing of deseasonalised blocks (Hyndman et al., Forecasting with Exponential
Smoothing, 2008, with multiplicative errors), under several gains at once. A block trains only up to `CAP` standard
deviations from what was expected; after `ADOPTED` blocks beyond that on one side, their mean is the new level. The
level told is a mixture of the gains, weighed by how well each had foretold the blocks up to a week ago: what the newest
week holds moves the level, never the weights, so that more spend does not make for a lower one. For the uncertainty
the gains are weighed by all that is known: that tells a level that wanders from one that does not.

**Noise.** Variance of a block = noise × expected^1.5 × level^0.5: between counts (1) and proportional error (2), as
sums of lumps of unequal size behave (Tweedie). It is learned from the same residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BLOCK = 24
WEEK = 7
MOST_BLOCKS = 70
LATEST = 96
"""After so many hours what is late is missing no more, but nothing."""

GAINS = np.array([0.03, 0.08, 0.18, 0.35])
MIXTURE = np.array([0.02, 0.23, 0.5, 0.25])
"""What each gain is held to be worth before anything has been seen."""
TEMPER = 0.6
"""How much a likelihood counts for the mixture: neighbouring blocks are no independent witnesses."""
CAP = 3.0
ADOPTED = 5
PRIOR_NOISE = 0.25
"""Squared relative error of a day, before anything is known of a scope; weighs as much as one block."""
NOISE_MEMORY = 28.0
"""E-folding time of the noise, in blocks."""
FORGETTING = 0.99
"""What is left a block later of how well each gain has done."""
WEEKDAYS_DIFFER = 0.3
"""How far weekday factors usually lie from 1 (standard deviation)."""
WEEKS_HALVE = 5.0
PRIOR_WEEKLY_VARIANCE = 0.25
OUTLIER = 3.0
"""A block counts for the rhythm only up to this multiple of its weekday's median (or of the mean of all medians)."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Spend as scopes × blocks × 24 hours, oldest block first, whole weeks of blocks; 0 where nothing is known.

    `known` (blocks × 24) is 1 for hours that are known; `weight` (scopes × blocks) is the part of a block that is known
    and not before the scope first spent anything.
    """

    spend: Floats
    known: Floats
    weight: Floats
    daily: Floats
    """Spend of each block, extrapolated to the whole block where a part is unknown."""

    @property
    def days(self) -> Floats:
        """How many days each scope's past holds."""
        days: Floats = self.weight.sum(axis=1)
        return days


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`weekday` (scopes × 7, mean 1) by place in the week, the place of the first block ahead first; `hour`
    (scopes × 7 × 24, each place adds up to 1) says how a block's spend spreads over its hours."""

    weekday: Floats
    hour: Floats


@dataclass(frozen=True, slots=True)
class Course:
    """How the level went. Money is in the unit of the input, a day; n is the number of blocks.

    `level[b]` and `noise[b]` (n + 1 × scopes) are what was held before block b, `[n]` what is held now. `rate` is each
    block's spend without its rhythm, `weight` what it told of the level (both scopes × n).
    """

    rate: Floats
    weight: Floats
    level: Floats
    noise: Floats
    memory: Floats
    """How many blocks the level rests on."""
    age: Floats
    """How many days before now the level's blocks lie on average."""
    doubt: Floats
    """Squared relative error of the level."""
    drift: Floats
    """By how much that grows a day ahead."""
    spread: Floats
    """The noise that goes with these two."""
    days: Floats


def cut(spend: Floats, known: Flags, borrowed: Rhythm | None = None, late: Flags | None = None) -> Blocks:
    """Cut hours (scopes × hours, the last one the newest complete) into at most `MOST_BLOCKS` blocks.

    `known` is one flag an hour. How much of a block the known hours are is told by the `borrowed` rhythm's hours, or by
    their number. Of scopes that are `late` nothing is known after their last spend, up to `LATEST` hours back.
    ValueError when the hours differ in number.
    """
    scopes, hours = spend.shape
    if known.shape != (hours,):
        raise ValueError(f"{hours} hours of spend need as many flags, not {known.shape}")
    count = max(WEEK, min(MOST_BLOCKS, -(-hours // (BLOCK * WEEK)) * WEEK))
    taken = min(count * BLOCK, hours)
    padded = np.zeros((scopes, count * BLOCK))
    flags = np.zeros(count * BLOCK)
    flags[count * BLOCK - taken :] = known[hours - taken :]
    padded[:, count * BLOCK - taken :] = spend[:, hours - taken :]
    padded = np.maximum(padded, 0.0) * flags  # a credit is no habit
    # A scope's past begins with its first spend: what came before it is no zero to learn from.
    begun = np.maximum.accumulate(padded > 0, axis=1) * flags
    if late is not None:
        ended = ~np.maximum.accumulate(padded[:, ::-1] > 0, axis=1)[:, ::-1]
        ended[:, : max(count * BLOCK - LATEST, 0)] = False
        begun[ended & late[:, None]] = 0.0
    share = np.full((WEEK, BLOCK), 1 / BLOCK) if borrowed is None else borrowed.hour[0]
    weight = np.einsum("sbh,bh->sb", begun.reshape(scopes, count, BLOCK), np.tile(share, (count // WEEK, 1)))
    shaped = padded.reshape(scopes, count, BLOCK)
    daily = ratio(shaped.sum(axis=2), weight)
    return Blocks(shaped, flags.reshape(count, BLOCK), weight, daily)


def rhythm_of(blocks: Blocks, borrowed: Rhythm | None = None) -> Rhythm:
    """The weekly rhythm; `borrowed` (of one scope) is what scopes without a past of their own are held to have."""
    weekday = np.ones((1, WEEK)) if borrowed is None else borrowed.weekday
    hour = np.full((1, WEEK, BLOCK), 1 / BLOCK) if borrowed is None else borrowed.hour
    return Rhythm(_weekdays(blocks, weekday), _hours(blocks, hour))


def _weekdays(blocks: Blocks, borrowed: Floats) -> Floats:
    scopes, count = blocks.daily.shape
    weeks = count // WEEK
    daily = blocks.daily.reshape(scopes, weeks, WEEK)
    weight = blocks.weight.reshape(scopes, weeks, WEEK)
    capped = np.minimum(daily, OUTLIER * _usual(daily, weight))
    mean = ratio((capped * weight).sum(axis=2), weight.sum(axis=2))
    whole = (weight.sum(axis=2) >= WEEK - 0.01) & (mean > 0)
    relative = ratio(capped, mean[:, :, None])
    recent = whole * 0.5 ** (np.arange(weeks)[::-1] / WEEKS_HALVE)
    total = recent.sum(axis=1)[:, None]
    own = ratio((relative * recent[:, :, None]).sum(axis=1), total)
    square = (((relative - own[:, None]) ** 2).mean(axis=2) * recent).sum(axis=1)
    seen = whole.sum(axis=1)
    variance = (ratio(square, total[:, 0]) * seen + PRIOR_WEEKLY_VARIANCE) / (seen + 1)
    lean = (variance / WEEKDAYS_DIFFER**2)[:, None]
    factor = (own * total + lean * borrowed) / (total + lean)
    result: Floats = factor / factor.mean(axis=1, keepdims=True)
    return result


def _usual(daily: Floats, weight: Floats) -> Floats:
    """The median of each place of the week, or the mean of these medians where that is more (scopes × 1 × 7)."""
    ordered = np.sort(np.where(weight > 0, daily, np.inf), axis=1)
    count = (weight > 0).sum(axis=1)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[:, None] // 2, axis=1)
    high = np.take_along_axis(ordered, np.minimum(count // 2, ordered.shape[1] - 1)[:, None], axis=1)
    median = np.where(count[:, None] > 0, (low + high) / 2, 0.0)
    places = np.maximum((count > 0).sum(axis=1), 1)[:, None, None]
    usual: Floats = np.maximum(median, median.sum(axis=2, keepdims=True) / places)
    return usual


def _hours(blocks: Blocks, borrowed: Floats) -> Floats:
    scopes, count = blocks.daily.shape
    whole = blocks.weight > 0.99
    usual = ratio((blocks.daily * whole).sum(axis=1), whole.sum(axis=1))
    calm = np.minimum(1.0, ratio(OUTLIER * usual[:, None], blocks.daily, otherwise=1.0))
    recent = 0.5 ** (np.arange(count)[::-1] / (WEEKS_HALVE * WEEK))
    weighed = np.einsum("sbh,sb->sbh", blocks.spend, calm * whole * recent)
    own = weighed.reshape(scopes, count // WEEK, WEEK, BLOCK).sum(axis=1)
    all_days = own.sum(axis=1, keepdims=True)
    usual_day = usual[:, None, None]
    # Each place leans on the mean of all places by one day, and that on the borrowed one by another.
    common = all_days + usual_day * borrowed
    common = ratio(common, common.sum(axis=2, keepdims=True), otherwise=1 / BLOCK)
    common = np.where(usual_day > 0, common, borrowed)
    leaned = own + usual_day * common
    return ratio(leaned, leaned.sum(axis=2, keepdims=True)) + np.where(usual_day > 0, 0.0, common)


def follow(blocks: Blocks, rhythm: Rhythm) -> Course:
    """Run the smoothing over all blocks."""
    scopes, count = blocks.daily.shape
    factor = np.tile(rhythm.weekday, (1, count // WEEK))
    rate = ratio(blocks.daily, factor)
    weight = factor * blocks.weight
    smoothing = _Smoothing(scopes)
    level, noise, evidence = np.zeros((3, count + 1, scopes, len(GAINS)))
    noise[0] = PRIOR_NOISE
    for block in range(count):
        smoothing.step(block, rate[:, block, None], weight[:, block, None])
        level[block + 1], noise[block + 1] = smoothing.level, smoothing.noise
        evidence[block + 1] = smoothing.evidence
    mixture = _likely(TEMPER * evidence[count - WEEK] + np.log(MIXTURE))
    trust = _likely(evidence[count])
    spread = (smoothing.noise * trust).sum(axis=1)
    return Course(
        rate=rate,
        weight=weight,
        level=(level * mixture).sum(axis=2),
        noise=(noise * mixture).sum(axis=2),
        memory=(smoothing.memory * mixture).sum(axis=1),
        age=((count - 0.5 - smoothing.middle) * mixture).sum(axis=1),
        doubt=spread * (trust / np.maximum(smoothing.memory, 0.5)).sum(axis=1),
        drift=spread * (trust @ (GAINS**2 / (1 - GAINS))),
        spread=spread,
        days=blocks.days,
    )


def _likely(evidence: Floats) -> Floats:
    """Weights that add up to 1 in each row, from log likelihoods."""
    likely = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    result: Floats = likely / likely.sum(axis=1, keepdims=True)
    return result


class _Smoothing:
    """The state of every scope under every gain (scopes × gains).

    `level` is the spend of an average day, 0 before anything was seen, `memory` the sum of the weights behind it, and
    `evidence` the log likelihood of what came.
    """

    __slots__ = ("_noise", "_noise_weight", "_streak", "_streak_sum", "_sum", "_time", "evidence", "level", "memory")

    def __init__(self, scopes: int) -> None:
        shape = (scopes, len(GAINS))
        self.memory, self._sum, self._time, self.evidence = (np.zeros(shape) for _ in range(4))
        self.level: Floats = np.zeros(shape)
        self._streak, self._noise_weight = np.zeros(shape), np.ones(shape)
        self._streak_sum = np.zeros((3, *shape))
        self._noise = np.full(shape, PRIOR_NOISE)

    @property
    def noise(self) -> Floats:
        """Squared relative error of an average day."""
        return self._noise / self._noise_weight

    @property
    def middle(self) -> Floats:
        """Where the level's blocks lie on average, counted in blocks from the first."""
        return ratio(self._time, self.memory)

    def step(self, block: int, rate: Floats, weight: Floats) -> None:
        """Take the next block; a weight of 0 says nothing."""
        seen = weight > 0
        if not seen.any():  # most of the days where history is short: each would come to this anyway
            self.evidence = self.evidence * FORGETTING
            return
        begun = self.memory > 0
        level, noise = self.level, self.noise
        stray = level * np.sqrt(noise * (ratio(_ONE, weight) + 1 / np.maximum(self.memory, 1.0)))
        z = np.where(begun, ratio(rate - level, stray), 0.0)
        taken = np.where(begun, np.maximum(level + np.clip(z, -CAP, CAP) * stray, 0.0), rate)
        self._judge(z, ratio(stray, level), seen & (self.memory > 2))
        keep = np.where(seen, (1 - GAINS) ** weight, 1.0)
        self._sum = self._sum * keep + weight * taken
        self._time = self._time * keep + weight * block
        self.memory = self.memory * keep + weight
        self._adopt(block, z, rate, weight)
        self.level = ratio(self._sum, self.memory)
        learns = np.where(seen & begun & (level > 0), np.minimum(weight, 1.0), 0.0)
        fade = np.exp(-learns / NOISE_MEMORY)
        self._noise = self._noise * fade + np.clip(z, -CAP, CAP) ** 2 * noise * learns
        self._noise_weight = self._noise_weight * fade + learns

    def _judge(self, z: Floats, stray: Floats, counts: Flags) -> None:
        """The log likelihood of what came, under Student's t with four degrees of freedom: outliers decide little."""
        news = -np.log(np.maximum(stray, 1e-6)) - 2.5 * np.log1p(z * z / 4.0)
        self.evidence = self.evidence * FORGETTING + np.where(counts, news, 0.0)

    def _adopt(self, block: int, z: Floats, rate: Floats, weight: Floats) -> None:
        side = np.where(z > CAP, 1.0, np.where(z < -CAP, -1.0, 0.0))
        if not side.any() and not self._streak.any():  # almost always: no streak goes on, and none begins
            return
        goes_on = (side != 0) & (np.sign(self._streak) == side)
        seen = weight > 0
        self._streak = np.where(seen, np.where(goes_on, self._streak + side, side), self._streak)
        news = np.stack(np.broadcast_arrays(weight * rate, weight, weight * block)) * (side != 0)
        self._streak_sum = np.where(seen, np.where(goes_on, self._streak_sum, 0.0) + news, self._streak_sum)
        adopted = np.abs(self._streak) >= ADOPTED
        self._sum, self.memory, self._time = np.where(
            adopted, self._streak_sum, np.stack([self._sum, self.memory, self._time])
        )
        self._streak = np.where(adopted, 0.0, self._streak)


_ONE = np.ones(1)


def ratio(above: Floats, below: Floats, otherwise: float = 0.0) -> Floats:
    """above / below, and `otherwise` where there is nothing below."""
    shape = np.broadcast(above, below).shape
    result: Floats = np.divide(above, below, out=np.full(shape, otherwise), where=below > 0)
    return result
