"""Events as the configuration has them become the windows that the rules take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.model import Selector
from watcher.events import AHEAD, BEHIND, Planned, planned, windows
from watcher.public_holidays import Region, countries, holidays_of, parts
from watcher.settings import EventSettings

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def event(begins: str, ends: str, repeat: str = "", zone: str = "UTC") -> EventSettings:
    dates = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    return EventSettings("e", Selector(), 3.0, zone, dates, repeat)


def found(settings: EventSettings, now: datetime = NOW) -> list[str]:
    near = windows(settings, now - BEHIND, now + AHEAD)
    return [f"{each.begins:%Y-%m-%dT%H:%M}/{each.ends:%Y-%m-%dT%H:%M}" for each in near]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (event("2026-12-01", "2026-12-03"), ["2026-12-01T00:00/2026-12-03T00:00"]),
        (event("2026-12-01", "2026-12-03", zone="Europe/Berlin"), ["2026-11-30T23:00/2026-12-02T23:00"]),
        (event("2026-10-25", "2026-10-26", zone="Europe/Berlin"), ["2026-10-24T22:00/2026-10-25T23:00"]),
        (event("2026-06-01", "2026-06-03"), []),
        (event("2027-12-01", "2027-12-03"), []),
        (event("2024-12-10", "2024-12-12", "yearly"), ["2026-12-10T00:00/2026-12-12T00:00"]),
        (event("2025-12-30", "2026-01-02", "yearly"), ["2026-12-30T00:00/2027-01-02T00:00"]),
        (event("2024-02-29", "2024-03-01", "yearly"), ["2027-02-28T00:00/2027-03-01T00:00"]),
        (
            event("2027-01-11T02:00", "2027-01-11T05:00", "weekly"),
            [
                f"2027-{month}-{day}T02:00/2027-{month}-{day}T05:00"
                for month, day in (
                    ("01", "11"),
                    ("01", "18"),
                    ("01", "25"),
                    ("02", "01"),
                    ("02", "08"),
                    ("02", "15"),
                    ("02", "22"),
                    ("03", "01"),
                )
            ],
        ),
    ],
)
def test_the_windows_near_to_now_are_worked_out(settings: EventSettings, expected: list[str]) -> None:
    assert found(settings) == expected


def test_a_weekly_event_keeps_to_the_clock_of_its_zone() -> None:
    starts = [line[11:16] for line in found(event("2026-10-05T02:00", "2026-10-05T03:00", "weekly", "Europe/Berlin"))]
    assert starts == ["00:00"] * 3 + ["01:00"] * (len(starts) - 3)
    assert len(starts) > 15


def test_holidays_are_whole_days_of_the_zone_with_their_names() -> None:
    settings = EventSettings("h", Selector(), 1.0, "Europe/Berlin", holidays=Region("DE", "BY"))
    (the_event,) = planned([settings], NOW)
    by_name = {window.called: window for window in the_event.windows}
    assert "Christmas Day" in by_name
    assert "Epiphany" in by_name, "a holiday of Bavaria"
    christmas = by_name["Christmas Day"]
    assert (christmas.begins, christmas.ends) == (
        datetime(2026, 12, 24, 23, tzinfo=UTC),
        datetime(2026, 12, 25, 23, tzinfo=UTC),
    )


def test_events_are_worked_out_once_a_day_and_follow_the_clock() -> None:
    book = Planned((event("2026-12-01", "2026-12-03"),))
    first = book.at(NOW)
    assert book.at(NOW + timedelta(hours=3)) is first
    assert len(first) == 1
    assert book.at(NOW + 365 * DAY) == ()
    assert Planned().at(NOW) == ()


def test_the_countries_and_their_parts_are_known_by_their_letters() -> None:
    assert countries()["DE"] == "Germany"
    assert "CA" in parts("US")
    assert Region("US", "CA").shown == "US-CA"
    assert ("2026-07-04" in {f"{day}" for day, _ in holidays_of(Region("US"), 2026)}) is True
