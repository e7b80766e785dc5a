"""The Claude Code report of some UTC days, added up by person, model or day.

Kinds of customer stay apart, and there is no figure of all of them: what the API bills is in the organization's spend
already, and what subscriptions hold is billed by no token at all. The amounts are what the provider estimates; neither
is ever added to spend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias

from rules.model import Nano
from watcher.admin_api.answers import ClaudeCodeRow
from watcher.claude_code.actors import ActorKind, Actors
from watcher.store import Store

By: TypeAlias = Literal["user", "model", "day"]
DIMENSIONS: tuple[By, ...] = ("user", "model", "day")

API, SUBSCRIPTION = "api", "subscription"
NOT_TOLD = "unknown"
"""The kind of customer of rows that do not tell theirs."""

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Figures:
    """What was done, and what the provider estimates that its tokens cost, in nano-dollars."""

    sessions: int = 0
    lines_added: int = 0
    lines_removed: int = 0
    commits: int = 0
    pull_requests: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    estimated: Nano = 0

    @property
    def tokens(self) -> int:
        """All kinds of tokens together."""
        return self.input + self.output + self.cache_read + self.cache_creation

    def add(self, other: Figures) -> None:
        """Add other figures to these."""
        for each in fields(Figures):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class Key:
    """What a row is about; None for what was not asked for."""

    day: date | None = None
    actor: str | None = None
    actor_kind: ActorKind | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one combination of what was asked for. Sessions, lines and commits have no model: see `Report`.

    `ident` is the user's or key's id where it is known, `name` what to call the actor. `merged` counts the rows that
    one row of the rest holds.
    """

    key: Key
    figures: Figures
    ident: str | None = None
    name: str | None = None
    merged: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of customer: the dearest rows first (of each day), and the sum of all of them."""

    customer_type: str
    rows: tuple[Row, ...]
    total: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """The days in `[start, end)`. By model, only tokens and estimates are told: the rest is of a session, not a model.

    `missing` are days of the window that have begun and were never read; `complete_until` is the source's watermark;
    `held` are days whose newest readings came back empty and are not believed.
    """

    start: date
    end: date
    by: tuple[By, ...]
    sections: tuple[Section, ...]
    missing: tuple[date, ...] = ()
    held: tuple[date, ...] = ()
    complete_until: datetime | None = None
    offered: bool | None = field(default=None)


def claude_code_report(
    store: Store, organization: str, by: Sequence[By], start: date, end: date, now: datetime, *, top: int | None = None
) -> Report:
    """Read and add up the days; with `top` only so many rows of each section (and day), the rest as one."""
    days = store.claude_code.read(organization, start, end)
    actors = Actors.of(store, organization)
    by = tuple(each for each in DIMENSIONS if each in by)
    sums: dict[str, dict[Key, Figures]] = {}
    totals: dict[str, Figures] = {}
    for row in (row for rows in days.values() for row in rows):
        kind = row.customer_type or NOT_TOLD
        rows = sums.setdefault(kind, {})
        for key, figures in _parts(row, by):
            rows.setdefault(key, Figures()).add(figures)
        totals.setdefault(kind, Figures()).add(_whole(row))
    state = store.sources.get(organization, "claude_code")
    begun = min(end, now.astimezone(UTC).date() + _DAY)
    return Report(
        start,
        end,
        by,
        tuple(Section(kind, _ranked(sums[kind], actors, top), totals[kind]) for kind in sorted(sums, key=_place)),
        tuple(day for day in _days(start, begun) if day not in days),
        tuple(held.bucket for held in store.claude_code.held(organization) if start <= held.bucket < end),
        state.watermark,
        state.offered,
    )


def _parts(row: ClaudeCodeRow, by: Sequence[By]) -> Iterator[tuple[Key, Figures]]:
    """What a row of the API adds to which rows of the report."""
    day = row.day if "day" in by else None
    who: tuple[str | None, ActorKind | None] = (row.actor, row.actor_kind) if "user" in by else (None, None)
    if "model" not in by:
        yield Key(day, *who), _whole(row)
        return
    for use in row.model_breakdown:
        yield (
            Key(day, *who, use.model),
            Figures(
                input=use.input,
                output=use.output,
                cache_read=use.cache_read,
                cache_creation=use.cache_creation,
                estimated=use.cost_nano,
            ),
        )


def _whole(row: ClaudeCodeRow) -> Figures:
    return Figures(
        row.sessions,
        row.lines_added,
        row.lines_removed,
        row.commits,
        row.pull_requests,
        sum(use.input for use in row.model_breakdown),
        sum(use.output for use in row.model_breakdown),
        sum(use.cache_read for use in row.model_breakdown),
        sum(use.cache_creation for use in row.model_breakdown),
        sum(use.cost_nano for use in row.model_breakdown),
    )


def _ranked(sums: Mapping[Key, Figures], actors: Actors, top: int | None) -> tuple[Row, ...]:
    """The rows day by day, in each the dearest first, the rest of it as one."""
    by_day: dict[date | None, list[Row]] = {}
    for key, figures in sorted(sums.items(), key=_gravity):
        by_day.setdefault(key.day, []).append(_row(key, figures, actors))
    ranked: list[Row] = []
    for day in sorted(by_day, key=lambda day: day or date.min):
        rows = by_day[day]
        kept = rows if top is None or len(rows) <= top else [*rows[:top], _rest(day, rows[top:])]
        ranked += kept
    return tuple(ranked)


def _gravity(item: tuple[Key, Figures]) -> tuple[int, int, str, str]:
    key, figures = item
    return -figures.estimated, -figures.sessions, key.actor or "", key.model or ""


def _row(key: Key, figures: Figures, actors: Actors) -> Row:
    if key.actor is None or key.actor_kind is None:
        return Row(key, figures)
    return Row(key, figures, actors.ident(key.actor_kind, key.actor), actors.name(key.actor_kind, key.actor))


def _rest(day: date | None, rows: Iterable[Row]) -> Row:
    total, count = Figures(), 0
    for row in rows:
        total.add(row.figures)
        count += 1
    return Row(Key(day), total, merged=count)


def _place(kind: str) -> tuple[bool, bool, str]:
    """What the API bills first, then subscriptions, then kinds not known yet."""
    return kind != API, kind != SUBSCRIPTION, kind


def _days(start: date, end: date) -> Iterator[date]:
    while start < end:
        yield start
        start += _DAY
