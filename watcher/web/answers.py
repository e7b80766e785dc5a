"""What each page says. A page and its part of the JSON API are two forms of one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from notifiers.alert_json import alert_json, utc_json
from rules.model import Alert, State
from watcher.actions.standing import read_shutoff
from watcher.explain.again import Again
from watcher.explain.explanation import Explanation
from watcher.explain.forms import to_json as explanation_json
from watcher.explain.record import read_record
from watcher.explain.sections import opening, sections
from watcher.overview import Overview
from watcher.overview import from_json as overview_from_json
from watcher.status import to_json as status_json
from watcher.web import forms
from watcher.web.asking import (
    ORGANIZATION,
    WINDOWS,
    Refusal,
    label_of,
    number_of,
    one_of,
    parts_of,
    read_query,
)
from watcher.web.course import Course, as_seconds, dollars, even_pace, recent
from watcher.web.facts import Facts, Place, place_of
from watcher.web.key_rows import SORTS, STATES, KeySums, key_page, key_rows
from watcher.web.price_rows import by_model, price_rows, settled_days, settled_json

PAGE = 50
"""Alerts and actions on a page."""
HISTORY = timedelta(days=90)
"""How far back ended alerts are listed."""

Items = Sequence[tuple[str, str]]
"""The parameters of a request, in order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The values that a template shows, and the same as JSON."""

    values: Mapping[str, Any]
    form: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers requests. Every method raises Refusal and StoreError. Safe to use from several threads."""

    facts: Facts
    sums: KeySums = field(default_factory=KeySums)

    def overview(self) -> Answer:
        """Where the money stands and what fires, of all organizations."""
        status, facts = self.facts.status(), self.facts
        charts = {} if status.several else self._chart_of(place_of(facts, status.standings[0].label))
        values = {
            "status": status,
            "charts": charts,
            "place": None,
            "labels": facts.settings().labels,
        }
        return Answer(values, lambda: status_json(status, alert_json))

    def series(self, items: Items) -> Answer:
        """The hours of one scope."""
        query = read_query(items, {ORGANIZATION, "days", *_SCOPED}, tags=True)
        place = self._place(query)
        days = int(one_of(query, "days", [str(each) for each in WINDOWS], "14"))
        course = self._course(place, parts_of(query), days)
        values = self._values(place, course=course, windows=WINDOWS, chart=chart_of(course), pace=even_pace)
        return Answer(values, lambda: {**_of(place), **forms.course_json(course)})

    def alerts(self, items: Items) -> Answer:
        """What is open, and what has ended in the last 90 days."""
        query = read_query(items, {ORGANIZATION, "page"})
        place, page = self._place(query), number_of(query, "page")
        now = self.facts.now()
        found = [alert for alert in self.facts.store.alerts.list(now - HISTORY) if _is_of(alert, place)]
        active = [alert for alert in found if alert.state is not State.RESOLVED]
        ended = [alert for alert in found if alert.state is State.RESOLVED]
        pages = max(-(-len(ended) // PAGE), 1)
        page = min(page, pages)
        shown = ended[(page - 1) * PAGE : page * PAGE]
        values = self._values(place, active=active, ended=shown, total=len(ended), page=page, pages=pages, now=now)
        return Answer(
            values,
            lambda: {
                **_of(place),
                "open": [alert_json(alert) for alert in active],
                "ended": [alert_json(alert) for alert in shown],
                "ended_found": len(ended),
                "page": page,
                "pages": pages,
            },
        )

    def alert(self, items: Items, ident: str) -> Answer:
        """One alert with all that is kept of it."""
        read_query(items, ())
        store, settings, now = self.facts.store, self.facts.settings(), self.facts.now()
        alert = store.alerts.get(ident) if len(ident) <= 64 and ident.isascii() else None
        places = [place_of(self.facts, label) for label in settings.labels]
        place = next((each for each in places if alert is not None and _is_of(alert, each)), None)
        if alert is None or place is None or place.chosen is None:
            raise Refusal(404, "There is no such alert, or it is not kept any more.")
        record = read_record(store, settings, place.chosen, alert, now)
        found = Explanation(record, Again("unknown"), (), (), None, now, ())
        title, times = opening(found)
        told = tuple(sections(found))
        values = self._values(place, alert=alert, title=title, times=times, sections=told, now=now)
        return Answer({**values, "charts": self._chart_of(place, alert)}, lambda: explanation_json(found))

    def keys(self, items: Items) -> Answer:
        """What each key spends, its state, whose it is, what protects it."""
        query = read_query(items, {ORGANIZATION, "q", "state", "sort", "page"})
        place = self._place(query)
        state, sort = one_of(query, "state", STATES, "all"), one_of(query, "sort", SORTS, "month")
        number, wanted = number_of(query, "page"), query.get("q", "")
        facts = self.facts
        rows = []
        if place.id is not None:
            sums = None if place.looked is None else self.sums.of(place.looked)
            rows = key_rows(facts.store, place.id, sums, facts.settings().shutoff, facts.now())
        page = key_page(rows, wanted, state, sort, number)
        asked = {"q": wanted, "state": state, "sort": sort}
        values = self._values(
            place, keys=page, asked=asked, states=STATES, shutoff=facts.settings().shutoff is not None
        )
        return Answer(values, lambda: {**_of(place), **forms.keys_json(page)})

    def actions(self, items: Items) -> Answer:
        """The journal of what was decided about keys, the newest first."""
        query = read_query(items, {ORGANIZATION, "page"})
        place, page = self._place(query), number_of(query, "page")
        facts, now = self.facts, self.facts.now()
        rows = [] if place.id is None else list(reversed(facts.store.actions.all(place.id)))
        shutoff = facts.settings().shutoff
        state = None if place.id is None or shutoff is None else read_shutoff(facts.store, shutoff, place.id, now)
        pages = max(-(-len(rows) // PAGE), 1)
        page = min(page, pages)
        shown = rows[(page - 1) * PAGE : page * PAGE]
        values = self._values(place, rows=shown, total=len(rows), page=page, pages=pages, state=state, now=now)
        return Answer(
            values,
            lambda: {
                **_of(place),
                "found": len(rows),
                "page": page,
                "pages": pages,
                "actions": [forms.action_json(row) for row in shown],
            },
        )

    def prices(self, items: Items) -> Answer:
        """What models cost and where each price comes from, and bills beside estimates."""
        place = self._place(read_query(items, {ORGANIZATION}))
        prices = None if place.looked is None else price_rows(place.looked, self.facts.settings())
        days = () if place.looked is None else settled_days(place.looked.snapshot.reconciled)
        values = self._values(place, prices=prices, models=by_model(prices) if prices else (), days=days)
        known: Mapping[str, Any] = prices or {"day": None, "currency": "USD", "prices": []}
        return Answer(values, lambda: {**_of(place), **known, "reconciliation": [settled_json(day) for day in days]})

    # ------------------------------------------------------------------------------------------ parts of answers

    def _place(self, query: Mapping[str, str]) -> Place:
        return place_of(self.facts, label_of(query, self.facts.settings().labels))

    def _values(self, place: Place, **values: Any) -> dict[str, Any]:
        return {"place": place, "labels": place.labels, **values}

    def _course(self, place: Place, parts: Mapping[str, str], days: int) -> Course:
        if place.looked is None:
            raise Refusal(503, "The first cycle since the start has not ended yet: its hours are shown then.")
        alerts = recent(self.facts.store.alerts.list(self.facts.now() - HISTORY), self.facts.now())
        figures = self._figures(place)
        return self.facts.courses.course(place.looked, parts, days, alerts, figures.budgets if figures else ())

    def _figures(self, place: Place) -> Overview | None:
        text = None if place.id is None else self.facts.store.cursor.get("overview", place.id)
        return None if text is None else overview_from_json(text)

    def _chart_of(self, place: Place, alert: Alert | None = None) -> Mapping[str, Any]:
        """What a page draws of the organization, or of an alert's scope; empty where nothing can be drawn."""
        parts = {} if alert is None else alert.subject.scope.parts()
        if place.looked is None or (alert is not None and alert.subject.kind in {"source", "drift", "price"}):
            return {}
        try:
            course = self._course(place, parts, 7)
        except Refusal:
            return {}
        return {"course": course, "chart": chart_of(course)}


_SCOPED = ("workspace", "api_key", "model", "model_family", "service_tier", "user")


def chart_of(course: Course) -> dict[str, Any]:
    """What `static/chart.js` draws: seconds, and dollars an hour."""
    hours = course.hours
    pace = [(line.budget, even_pace(line)) for line in course.budgets]
    return {
        "at": as_seconds(hours),
        "observed": dollars(hour.observed for hour in hours),
        "expected": dollars(hour.expected for hour in hours),
        "upper": dollars(hour.upper for hour in hours),
        "odd": [hour.odd for hour in hours],
        "complete": sum(hour.complete for hour in hours),
        "budgets": [{"name": name, "pace": amount / 1e9} for name, amount in pace if amount is not None][:3],
    }


def _of(place: Place) -> dict[str, Any]:
    at: datetime | None = place.looked.at if place.looked else None
    return {
        "organization": {"id": place.id, "label": place.label or None, "name": place.name or None},
        "cycle_at": None if at is None else utc_json(at),
    }


def _is_of(alert: Alert, place: Place) -> bool:
    return alert.subject.scope.organization == place.id
