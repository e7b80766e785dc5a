"""Back-tests as JSON; `docs/backtest.md` describes it. Money is exact decimal strings of dollars, times are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from notifiers.alert_json import utc_json
from rules.actions import Action
from rules.model import Nano
from rules.money import usd_string
from watcher.backtest.comparing import ComparedStops, Comparison, compare, compare_stops
from watcher.backtest.running import Backtest, Backtests
from watcher.backtest.stops import Acts, Stop
from watcher.backtest.summary import Line, by_rule, by_scope, by_week, heard, monday_of, total
from watcher.backtest.told import Told


def to_json(tests: Backtests) -> dict[str, Any]:
    """The document of `watcher backtest --json`, without the organization."""
    history = tests.history
    document: dict[str, Any] = {
        "days": tests.days,
        "from": utc_json(tests.start),
        "until": utc_json(history.view.complete_until),
        "history_from": None if history.first is None else utc_json(history.first),
        "assumed": {
            "hour_known_after_minutes": int(history.lateness / timedelta(minutes=1)),
            "day_settled_after_hours": int(history.settling.after / timedelta(hours=1)),
            "open_hour_seen": False,
        },
        "notes": list(tests.notes),
        "configurations": [_replay(each, tests) for each in tests.found],
    }
    if len(tests.found) > 1:
        first, second = tests.found
        document["compared"] = _compared(compare(first.replay.alerts, second.replay.alerts))
        if first.acts is not None and second.acts is not None:
            document["compared"]["actions"] = _compared_stops(compare_stops(first.acts.stops, second.acts.stops))
    return document


def _acts(acts: Acts) -> dict[str, Any]:
    policy = acts.policy
    return {
        "policy": {
            "max_per_cycle": policy.max_per_cycle,
            "max_per_day": policy.max_per_day,
            "max_share": float(policy.max_share),
            "grace_seconds": _seconds(policy.grace),
            "min_usd": _usd(policy.min_amount),
        },
        "saved_usd": _usd(acts.saved),
        "innocent": len(acts.innocent),
        "stops": [_stop(stop) for stop in acts.stops],
        "refused": [
            {**_decision(row), "state": str(row.state), "why": row.reason, "waited_for": row.waits or None}
            for row in acts.refused
        ],
    }


def _stop(stop: Stop) -> dict[str, Any]:
    return {
        **_decision(stop.row),
        "reason": stop.row.reason,
        "stopped_at": utc_json(stop.at),
        "off_until": utc_json(stop.until),
        "excess_ended_at": _moment(stop.ended),
        "estimate_usd": _usd(stop.estimate),
        "saved_usd": _usd(stop.saved),
        "usual_usd": _usd(stop.usual),
        "innocent": stop.innocent or None,
    }


def _decision(row: Action) -> dict[str, Any]:
    return {
        "id": row.id,
        "alert": row.alert,
        "rule": row.cause.rule,
        "kind": row.cause.kind,
        "key": row.key or None,
        "key_name": row.key_name or None,
        "workspace": row.workspace_name or None,
        "proposed_at": utc_json(row.created_at),
        "amount_usd": _usd(row.amount),
    }


def _compared_stops(found: ComparedStops) -> Mapping[str, Any]:
    return {
        "both": [
            {"first": one.row.id, "second": two.row.id, "second_later_seconds": _seconds(two.at - one.at)}
            for one, two in found.both
        ],
        "only_first": [stop.row.id for stop in found.only_first],
        "only_second": [stop.row.id for stop in found.only_second],
    }


def _replay(found: Backtest, tests: Backtests) -> dict[str, Any]:
    replay = found.replay
    acted = {} if found.acts is None else {"actions": _acts(found.acts)}
    return {
        "configuration": found.asked.title,
        **acted,
        "judgements": replay.judgements,
        "weeks": round(replay.weeks, 2),
        "total": _line(total(replay.alerts)),
        "receivers": [
            {
                "receiver": each.receiver,
                "pages": each.pages,
                "pages_per_week": round(each.per_week, 2),
                "resolved": each.resolved,
                "initial": each.initial,
            }
            for each in heard(replay)
        ],
        "by_week": [
            {"monday": monday.isoformat(), **_line(total(some)), "alert_ids": [told.alert.id for told in some]}
            for monday, some in by_week(replay)
        ],
        "by_rule": [{"rule": line.title, **_line(line)} for line in by_rule(replay)],
        "by_scope": [{"scope": line.title, **_line(line)} for line in by_scope(replay, tests.label)],
        "alerts": [_alert(told, tests) for told in replay.alerts],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "alerts": line.alerts,
        "told": line.told,
        "median_delay_seconds": _seconds(line.delay),
        "excess_before_usd": _usd(line.before),
        "excess_after_usd": _usd(line.after),
    }


def _alert(told: Told, tests: Backtests) -> dict[str, Any]:
    alert = told.alert
    return {
        "id": alert.id,
        "rule": alert.subject.rule,
        "kind": alert.subject.kind,
        "scope": dict(alert.subject.scope.parts()),
        "label": tests.label(told),
        "instance": alert.subject.instance or None,
        "severity": str(told.last.severity),
        "summary": alert.summary,
        "week": monday_of(told.paged_at).isoformat(),
        "at_start": told.at_start,
        "began_at": utc_json(told.began),
        "fired_at": _moment(alert.fired_at),
        "told_at": _moment(told.told_at),
        "delay_seconds": _seconds(told.paged_at - told.began),
        "excess_ended_at": _moment(told.excess_ended),
        "resolved_at": _moment(told.resolved_at),
        "excess_before_usd": _usd(told.before),
        "excess_after_usd": _usd(told.after),
        "receivers": list(told.receivers),
        "inside": told.inside,
    }


def _compared(found: Comparison) -> dict[str, Any]:
    return {
        "both": [
            {
                "first": pair.first.alert.id,
                "second": pair.second.alert.id,
                "second_later_seconds": _seconds(pair.later),
            }
            for pair in found.both
        ],
        "only_first": _ids(found.only_first),
        "only_second": _ids(found.only_second),
    }


def _ids(alerts: Sequence[Told]) -> list[str]:
    return [told.alert.id for told in alerts]


def _usd(nano: Nano | None) -> str | None:
    return None if nano is None else usd_string(nano)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else utc_json(moment)


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
