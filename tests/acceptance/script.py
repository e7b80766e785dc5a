"""A language for scenario scripts: at this hour this happens; then this message, and nothing else.

    script.quiet(until="17 09:00")
    story = script.message(before="17 10:00", reason="first")
    story.tells("anomaly", key, inside=["workspace spend"])
    script.quiet(until="18 12:00")

Time runs in steps of a poll; every message that comes has to be asked for, or the script fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.model import Alert, Notification
from tests.acceptance.running import MINUTE, Watcher

STEP = 15 * MINUTE


@dataclass(frozen=True)
class Message:
    """One message that was heard."""

    notification: Notification

    @property
    def alert(self) -> Alert:
        """The one alert that it tells of."""
        (alert,) = self.notification.alerts
        return alert

    @property
    def text(self) -> str:
        return " / ".join(alert.summary for alert in self.notification.alerts)

    def tells(self, rule: str, key: str | None = None, *, inside: tuple[str, ...] = ()) -> Message:
        """It is about this rule and key, and carries alerts of the rules named in `inside`, if not of more."""
        assert (self.alert.subject.rule, self.alert.subject.scope.api_key) == (rule, key), self.text
        carried = {alert.subject.rule for alert in self.notification.inhibited}
        assert set(inside) <= carried
        assert inside or not carried, f"{carried} were not expected inside"
        return self

    def says(self, *words: str) -> Message:
        for word in words:
            assert word in self.text
        return self


class Script:
    """Drives a watcher from poll to poll, within one month."""

    def __init__(self, watcher: Watcher, step: timedelta = STEP) -> None:
        self.watcher = watcher
        self.step = step

    def moment(self, text: str) -> datetime:
        """ "17 09:30" is that time on the 17th of the present month."""
        day, clock = text.split()
        hour, minute = clock.split(":")
        return self.watcher.now.replace(day=int(day), hour=int(hour), minute=int(minute), second=0, microsecond=0)

    def quiet(self, until: str | datetime) -> None:
        """Nothing is sent until then; polls come in double steps as long as there is time for them."""
        end = self.moment(until) if isinstance(until, str) else until
        while self.watcher.now < end:
            step = min(2 * self.step, max(end - self.watcher.now, self.step))
            sent = self.watcher.run(self.watcher.now + step, step)
            assert not sent, (self.watcher.now, [Message(each).text for each in sent])

    def message(self, before: str | datetime, reason: str) -> Message:
        """One message for this reason, and only one, comes before then."""
        end = self.moment(before) if isinstance(before, str) else before
        while self.watcher.now + self.step < end:
            sent = self.watcher.run(self.watcher.now + self.step, self.step)
            if sent:
                assert [each.reason for each in sent] == [reason], [Message(each).text for each in sent]
                return Message(sent[0])
        raise AssertionError(f"no message before {end}")
