"""What goes wrong, written so that whoever wrote the detector does not find it easy.

Runaways of 5 to 50 times a key's mean hour that begin at its usual peak, on Monday morning, under the bound of the
hour, with the clocks, where hours are late or missing, in keys that grow or are days old, after two bursts that looked
the same, or again a week later at the same hour; use in the quiet hours that costs no more than a working day;
caches that no longer hit and dearer models under an unchanged number of requests; leaks of some percent a day in keys
with a week's rhythm; keys that burn money from their first hour; and what many keys share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.organization_harmless import HOLIDAYS, Ordinary
from benchmarks.organization_traffic import DAY, SUMMER_TIME, WEEK, Floats, Traffic
from rules.model import CONSOLE, Leaf, Names

DEAREST = "claude-opus-4-1-20250805"


@dataclass(frozen=True, slots=True)
class Incident:
    """One story: `excess[key]` is what it added to each hour of that key, from hour `first` on."""

    kind: str
    variety: str
    begin: float
    """Hours since the traffic began; fractions are minutes."""
    end: float
    first: int
    excess: dict[str, Floats]
    burst: float = 0.0
    """Dollars an hour that its key had twice burst to in the weeks before."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Whom it concerns."""
        return tuple(self.excess)

    def by_hour(self) -> Floats:
        """What all its keys have too much, by hour from `first` on."""
        total: Floats = np.sum(list(self.excess.values()), axis=0)
        return total

    def gone(self, hour: int, moment: float) -> float:
        """What part of its excess of an hour had come by then (hours since the begin)."""
        begin, end = max(float(hour), self.begin), min(hour + 1.0, self.end)
        return float(np.clip((moment - begin) / (end - begin), 0.0, 1.0)) if end > begin else float(moment > hour)


@dataclass(slots=True)
class _Scene:
    """The traffic as incidents are written onto it."""

    traffic: Traffic
    ordinary: Ordinary
    random: np.random.Generator
    first_day: int
    last_day: int
    free: list[str]
    means: dict[str, float]
    """Dollars of each key in a mean hour of the four weeks before."""
    incidents: list[Incident] = field(default_factory=list)

    def key_near(self, dollars: float, among: set[str] | None = None) -> str:
        """The free key whose mean hour costs about so much."""
        pool = [key for key in self.free if among is None or key in among]
        found = min(pool, key=lambda key: abs(np.log(max(self.means[key], 1e-3) / dollars)))
        self.free.remove(found)
        return found

    def of(self, *archetypes: str) -> set[str]:
        """The keys that are of these kinds."""
        pairs = zip(self.traffic.leaves, self.traffic.archetypes, strict=True)
        return {leaf.api_key for leaf, kind in pairs if kind in archetypes}

    def between(self, low: float, high: float) -> float:
        """Drawn so that every magnitude is as likely."""
        return float(np.exp(self.random.uniform(np.log(low), np.log(high))))

    def day(self, before_end: int = 3) -> int:
        return int(self.random.integers(self.first_day, self.last_day - before_end))

    def odd_minute(self) -> float:
        return float(self.random.uniform(0.05, 0.95))

    def peak(self, key: str, day: int) -> int:
        """The hour of the day at which the key spends most."""
        past = self.traffic.dollars[self.traffic.rows(key), (day - 28) * DAY : day * DAY].sum(axis=0)
        return int(past.reshape(-1, DAY).sum(axis=0).argmax())

    def add(
        self, kind: str, variety: str, begin: float, end: float, pace: dict[str, Floats], burst: float = 0.0
    ) -> None:
        """Let it be: `pace[key]` is dollars an hour, by hour from that of `begin` on; hours may be partly within."""
        first, until = int(begin), min(int(np.ceil(end)), self.traffic.hours)
        hours = np.arange(first, until)
        part = np.minimum(hours + 1, end) - np.maximum(hours, begin)
        excess = {key: own[: len(hours)] * part for key, own in pace.items()}
        for key, own in excess.items():
            rows = self.traffic.rows(key)
            main = rows[self.traffic.dollars[rows].sum(axis=1).argmax()]
            each = self._price(main)
            self.traffic.dollars[main, first:until] += own
            self.traffic.requests[main, first:until] += np.round(own / each)
        self.incidents.append(Incident(kind, variety, begin, min(end, float(until)), first, excess, burst))

    def _price(self, row: int) -> float:
        requests = float(self.traffic.requests[row].sum())
        return float(self.traffic.dollars[row].sum()) / requests if requests else 0.02


def with_incidents(ordinary: Ordinary, seed: int, since_day: int = 56) -> tuple[Ordinary, tuple[Incident, ...]]:
    """The traffic with about 34 incidents for each thousand keys, and those; the same for the same seed."""
    traffic = ordinary.traffic
    traffic = replace(traffic, dollars=traffic.dollars.copy(), requests=traffic.requests.copy())
    begin = since_day * DAY
    means: dict[str, float] = {}
    for row, leaf in enumerate(traffic.leaves):
        mean = float(traffic.dollars[row, max(begin - 4 * WEEK, 0) : begin].mean())
        means[leaf.api_key] = means.get(leaf.api_key, 0.0) + mean
    alive = traffic.dollars[:, -5 * DAY :].any(axis=1) & traffic.dollars[:, begin - WEEK : begin].any(axis=1)
    free = sorted({traffic.leaves[row].api_key for row in np.flatnonzero(alive)} - {CONSOLE})
    scene = _Scene(traffic, ordinary, np.random.default_rng([seed, 2]), since_day, traffic.hours // DAY, free, means)
    scale = len(means) / 1000.0
    for write, count in _SCRIPT:
        for turn in range(max(round(count * scale), 1)):
            write(scene, turn)
    return replace(ordinary, traffic=scene.traffic), tuple(scene.incidents)


def _runaway(scene: _Scene, turn: int) -> None:
    """5 to 50 times the mean hour, 5 to 300 dollars an hour."""
    factor, dollars = scene.between(5, 50), scene.between(5, 300)
    among = {2: scene.of("business", "developer"), 5: _growing(scene), 6: _young(scene)}.get(turn % 9)
    key = scene.key_near(dollars / factor, among or None)
    pace = factor * max(scene.means[key], dollars / factor / 3.0)
    day = scene.day()
    hours = int(scene.random.integers(3, 30))
    variety = _VARIETIES[turn % 9]
    begin = day * DAY + int(scene.random.integers(0, DAY)) + scene.odd_minute()
    shape = np.ones(hours + 1)
    if variety == "at the usual peak":
        begin = day * DAY + scene.peak(key, day) + scene.odd_minute()
    elif variety == "Monday morning":
        begin = (day // 7 * 7 + (7 if day % 7 else 0)) * DAY + 7 + scene.odd_minute()
        begin = min(begin, (scene.last_day - 3) * DAY)
    elif variety == "under the bound":
        hours = max(hours, 14)
        shape = np.minimum(1.5 ** np.arange(hours + 1) * 1.5**-11, 1.0)
    elif variety == "on and off":
        hours *= 2
        shape = (np.arange(hours + 1) % 3 == 0).astype(np.float64)
    elif variety == "as the clocks change":
        begin = SUMMER_TIME[turn // 9 % 2] * DAY + 1 + scene.odd_minute()
    elif variety == "late hours":
        late = np.flatnonzero((scene.ordinary.arrived < 1.0) | ~scene.ordinary.known)
        late = late[(late >= scene.first_day * DAY) & (late < (scene.last_day - 3) * DAY)]
        begin = (int(scene.random.choice(late)) if len(late) else int(begin)) + scene.odd_minute()
    elif variety == "known for bursts":
        for back in (16, 9):
            start = max(int(begin) - back * DAY + int(scene.random.integers(0, 12)), 0)
            _burst(scene, key, start, 3, pace / 2.0)
    burst = pace / 2.0 if variety == "known for bursts" else 0.0
    scene.add("runaway", variety, begin, begin + hours, {key: pace * shape}, burst)


_VARIETIES = (
    "at the usual peak",
    "Monday morning",
    "under the bound",
    "on and off",
    "as the clocks change",
    "in a growing key",
    "in a young key",
    "late hours",
    "known for bursts",
)


def _growing(scene: _Scene) -> set[str]:
    """Keys that spend twice what they spent a month before."""
    at = scene.first_day * DAY
    now = scene.traffic.dollars[:, at - 2 * WEEK : at].sum(axis=1)
    before = scene.traffic.dollars[:, at - 6 * WEEK : at - 4 * WEEK].sum(axis=1)
    return {scene.traffic.leaves[row].api_key for row in np.flatnonzero((now > 1.7 * before) & (before > 0))}


def _young(scene: _Scene) -> set[str]:
    """Keys that began to work in the weeks before."""
    at = scene.first_day * DAY
    begins = (scene.traffic.dollars > 0).argmax(axis=1)
    return {scene.traffic.leaves[row].api_key for row in np.flatnonzero((begins > at - 2 * WEEK) & (begins < at))}


def _burst(scene: _Scene, key: str, begin: int, hours: int, pace: float) -> None:
    """Something that was meant, and counts as no incident."""
    row = scene.traffic.rows(key)[0]
    scene.traffic.dollars[row, begin : begin + hours] += pace
    scene.traffic.requests[row, begin : begin + hours] += np.round(pace / 0.02)


def _again(scene: _Scene, turn: int) -> None:
    """The same twice, a week apart at the same hour: the second is no less dear for having been seen."""
    factor, dollars = scene.between(8, 40), scene.between(15, 150)
    key = scene.key_near(dollars / factor)
    pace = factor * max(scene.means[key], dollars / factor / 3.0)
    begin = scene.day(before_end=11) * DAY + int(scene.random.integers(0, DAY)) + scene.odd_minute()
    hours = 3 + turn % 3
    for week in range(2):
        at = begin + week * WEEK
        scene.add("runaway", ("once", "again a week later")[week], at, at + hours, {key: np.full(hours + 1, pace)})


def _quiet_hours(scene: _Scene, turn: int) -> None:
    """Nights in a row, each two to five hours at up to the level of a working hour."""
    key = scene.key_near(scene.between(1.0, 12.0), scene.of("business", "developer"))
    day, nights = scene.day(before_end=7), int(scene.random.integers(1, 6))
    working = 3.5 * scene.means[key]
    pace = np.zeros(nights * DAY + 6)
    for night in range(nights):
        length = int(scene.random.integers(2, 6))
        pace[night * DAY : night * DAY + length] = working * float(scene.random.uniform(0.6, 1.5))
    begin = day * DAY + 1 + turn % 3 + scene.odd_minute()
    scene.add("quiet hours", f"{nights} nights", begin, begin + (nights - 1) * DAY + 6, {key: pace})


def _cache_miss(scene: _Scene, turn: int) -> None:
    """Every request costs 1.8 to 3.2 times as much for days; as many come as ever."""
    key = scene.key_near(scene.between(1.5, 15.0), scene.of("production", "steady"))
    begin = scene.day(before_end=9) * DAY + float(scene.random.uniform(0, DAY))
    if turn % 2:
        begin = HOLIDAYS[1] * DAY - 3 * DAY + 9.2
    _dearer(scene, key, begin, float(scene.random.uniform(3, 8)) * DAY, scene.between(1.8, 3.2))


def _dearer(scene: _Scene, key: str, begin: float, hours: float, factor: float) -> None:
    """The amounts of these hours times a factor, without further requests."""
    first, until = int(begin), min(int(begin + hours) + 1, scene.traffic.hours)
    rows = scene.traffic.rows(key)
    part = np.ones(until - first)
    part[0] -= begin - first
    added = scene.traffic.dollars[rows, first:until] * (factor - 1.0) * part
    scene.traffic.dollars[rows, first:until] += added
    scene.incidents.append(Incident("cache miss", "", begin, float(until), first, {key: added.sum(axis=0)}))


def _model_switch(scene: _Scene, turn: int) -> None:
    """The key's main use moves to a model 1.7 to 5 times as dear."""
    key = scene.key_near(scene.between(1.5, 10.0), scene.of("production", "business", "batch"))
    begin = scene.day(before_end=8) * DAY + float(scene.random.uniform(6, 20))
    until = min(int(begin + scene.random.uniform(3, 7) * DAY), scene.traffic.hours)
    rows = scene.traffic.rows(key)
    main = int(rows[scene.traffic.dollars[rows, : int(begin)].sum(axis=1).argmax()])
    factor = (1.7, 2.5, 5.0)[turn % 3]
    first = int(begin)
    part = np.ones(until - first)
    part[0] -= begin - first
    moved, asked = np.zeros((2, scene.traffic.hours))
    moved[first:until] = scene.traffic.dollars[main, first:until] * part
    asked[first:until] = np.round(scene.traffic.requests[main, first:until] * part)
    scene.traffic.dollars[main] -= moved
    scene.traffic.requests[main] -= asked
    leaf = scene.traffic.leaves[main]
    scene.traffic = _with_leaf(
        scene.traffic, replace(leaf, model=DEAREST), scene.traffic.archetypes[main], moved * factor, asked
    )
    excess = (moved * (factor - 1.0))[first:until]
    scene.incidents.append(Incident("model switch", f"× {factor}", begin, float(until), first, {key: excess}))


def _with_leaf(traffic: Traffic, leaf: Leaf, archetype: str, dollars: Floats, requests: Floats) -> Traffic:
    return replace(
        traffic,
        leaves=(*traffic.leaves, leaf),
        archetypes=(*traffic.archetypes, archetype),
        dollars=np.concatenate([traffic.dollars, dollars[None]]),
        requests=np.concatenate([traffic.requests, requests[None]]),
    )


def _slow_leak(scene: _Scene, turn: int) -> None:
    """8 to 30 percent of the normal spend more each day, in keys with the rhythm of a week, for one to three weeks."""
    key = scene.key_near(scene.between(1.0, 10.0), scene.of("business", "production", "developer", "batch"))
    days = int(scene.random.integers(8, 22))
    start = int(scene.random.integers(scene.first_day, max(scene.last_day - days, scene.first_day + 1)))
    if turn % 2:
        start = (start + 2) // 7 * 7 + 5
    begin, hours = start * DAY, min(days * DAY, scene.traffic.hours - start * DAY)
    rows = scene.traffic.rows(key)
    a_day = scene.between(0.08, 0.3)
    passed = np.arange(hours) / DAY
    ramp = a_day * passed if turn % 3 else (1.0 + a_day) ** passed - 1.0
    ramp = np.minimum(ramp, 4.0)
    scene.traffic.requests[rows, begin : begin + hours] *= 1.0 + ramp
    added = scene.traffic.dollars[rows, begin : begin + hours] * ramp
    scene.traffic.dollars[rows, begin : begin + hours] += added
    excess = {key: added.sum(axis=0)}
    scene.incidents.append(Incident("slow leak", f"{a_day:.0%} a day", begin, begin + hours, begin, excess))


def _new_key(scene: _Scene, turn: int) -> None:
    """A key made a day ago at most burns 8 to 200 dollars an hour; every second begins gently."""
    homes = sorted({leaf.workspace for leaf in scene.traffic.leaves})
    home = homes[int(scene.random.integers(len(homes)))]
    key, hours = f"apikey_new_{turn}", int(scene.random.integers(3, 30))
    dollars, model = scene.between(8, 200), "claude-opus-5-5"
    begin = scene.day() * DAY + float(scene.random.uniform(0, DAY))
    quiet = int(scene.random.integers(0, 30)) if turn % 2 else 0
    own = np.zeros(scene.traffic.hours)
    own[max(int(begin) - quiet, 0) : int(begin)] = scene.random.gamma(1.0, 0.05, min(quiet, int(begin)))
    names = scene.traffic.names
    scene.traffic = _with_leaf(
        scene.traffic, Leaf(home, key, model, "standard"), "production", own, np.round(own / 0.02)
    )
    scene.traffic = replace(
        scene.traffic,
        names=Names(by_id={**names.by_id, key: f"new-{turn}"}, workspace_of_key={**names.workspace_of_key, key: home}),
    )
    scene.means[key] = 0.0
    ramp = np.minimum(np.arange(1, hours + 2) / 6.0, 1.0) if turn % 2 else np.ones(hours + 1)
    variety = "gently" if turn % 2 else "at once"
    scene.add("new key", variety, begin, begin + hours, {key: dollars * ramp})


def _shared(scene: _Scene, turn: int) -> None:
    """Several keys at once: of one workspace, four to eight times as much; or thirty anywhere, two to four times."""
    homes: dict[str, list[str]] = {}
    for key, home in scene.traffic.homes().items():
        if key in scene.free:
            homes.setdefault(home, []).append(key)
    if turn % 3 == 2:
        keys = sorted(scene.free, key=lambda key: -scene.means[key])[:60:2]
        low, high = 2.0, 4.0
    else:
        dear = sorted(homes, key=lambda home: -sum(scene.means[key] for key in homes[home]))
        home = dear[int(scene.random.integers(min(len(dear), 12)))]
        keys = sorted(homes[home], key=lambda key: -scene.means[key])[: int(scene.random.integers(4, 16))]
        low, high = 4.0, 8.0
    begin = scene.day() * DAY + float(scene.random.uniform(7, 22))
    hours = int(scene.random.integers(4, 16))
    pace = {key: np.full(hours + 1, scene.between(low, high) * scene.means[key]) for key in keys}
    for key in keys:
        scene.free.remove(key)
    scene.add("shared", f"{len(keys)} keys", begin, begin + hours, pace)


_SCRIPT: tuple[tuple[Callable[[_Scene, int], None], int], ...] = (
    (_shared, 3),
    (_runaway, 18),
    (_again, 2),
    (_quiet_hours, 6),
    (_cache_miss, 4),
    (_model_switch, 3),
    (_slow_leak, 6),
    (_new_key, 4),
)
