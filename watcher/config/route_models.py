"""The shape of `[[route]]` and `[[time_interval]]`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from rules.matchers import Matcher
from rules.routes import EACH_ALERT
from watcher.config import interval_values, route_values, values
from watcher.config.table import Flag, Name, Table, Zone

_NONE = timedelta(0)
_DAY = timedelta(days=1)

Matchers = Annotated[
    list[Annotated[Matcher, PlainValidator(route_values.matcher)]],
    AfterValidator(route_values.not_too_many),
]
GroupWait = Annotated[timedelta, PlainValidator(values.duration(_NONE, _DAY))]
RepeatInterval = Annotated[timedelta, PlainValidator(values.duration(timedelta(minutes=5), 30 * _DAY))]
EscalateAfter = Annotated[timedelta, PlainValidator(values.duration(timedelta(minutes=1), 7 * _DAY))]
GroupBy = Annotated[
    list[Annotated[str, PlainValidator(route_values.group_label)]],
    AfterValidator(route_values.whole_group),
]
NameList = Annotated[list[Name], AfterValidator(values.distinct)]
Inner = Annotated[list[dict[str, Any]], PlainValidator(route_values.inner)]
Times = list[Annotated[tuple[int, int], PlainValidator(interval_values.times)]]
Weekdays = list[Annotated[tuple[int, ...], PlainValidator(interval_values.weekdays)]]
DaysOfMonth = list[Annotated[tuple[int, int], PlainValidator(interval_values.days_of_month)]]
Months = list[Annotated[tuple[int, ...], PlainValidator(interval_values.months)]]


class RouteTable(Table):
    """`[[route]]`: which receiver hears of which alerts."""

    receiver: Name = Field(examples=['"ops"'])
    match: Matchers = Field([], examples=["['severity=\"critical\"', 'workspace=~\"prod-.*\"']"])
    goes_on: Flag | None = Field(None, alias="continue", examples=["true"])
    group_by: GroupBy = Field(list(EACH_ALERT), examples=['["workspace"]'])
    group_wait: GroupWait = Field(_NONE, examples=['"30s"'])
    group_interval: GroupWait = Field(_NONE, examples=['"15m"'])
    repeat_interval: RepeatInterval | None = Field(None, examples=['"4h"'])
    active: NameList = Field([], examples=['["working hours"]'])
    mute: NameList = Field([], examples=['["weekends"]'])
    escalate_after: EscalateAfter | None = Field(None, examples=['"30m"'])
    escalate_to: Name | None = Field(None, examples=['"pager"'])
    routes: Inner = Field([], examples=["(write [[route.routes]] below it)"])


class InnerRouteTable(RouteTable):
    """`[[route.routes]]`: a route inside another one."""

    receiver: Name | None = Field(None, examples=['"ops"'])  # type: ignore[assignment]


class TimeIntervalTable(Table):
    """`[[time_interval]]`: recurring stretches of time that routes name."""

    name: Name = Field(examples=['"working hours"'])
    timezone: Zone = Field("UTC", examples=['"Europe/Berlin"'])
    times: Times = Field([], examples=['["09:00-17:00"]'])
    weekdays: Weekdays = Field([], examples=['["monday:friday"]'])
    days_of_month: DaysOfMonth = Field([], examples=['["-1"]'])
    months: Months = Field([], examples=['["december"]'])

    @property
    def says_something(self) -> bool:
        """Whether any moment lies outside of it."""
        return bool(self.times or self.weekdays or self.days_of_month or self.months)
