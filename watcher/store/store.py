"""The store as one object: everything that outlives the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from rules.actions import Action
from rules.asked import Act, Answer
from rules.groups import Group
from rules.model import Alert, Notification, Transition
from rules.protection import Examined
from rules.quieted import Feedback, Silence
from watcher.store import copies, retention
from watcher.store.actions import Actions, write_actions, write_protections
from watcher.store.alerts import Alerts, write_alerts, write_transitions
from watcher.store.analytics import Analytics
from watcher.store.claude_code import ClaudeCode
from watcher.store.costs import Costs
from watcher.store.cursor import Cursor, write_cursor
from watcher.store.database import Database
from watcher.store.day_sums import DaySums
from watcher.store.directory import Directory
from watcher.store.feedback import Feedbacks, write_feedback
from watcher.store.groups import Groups, write_groups
from watcher.store.journal import Commands, Journal, write_acts, write_answers
from watcher.store.limits import Limits
from watcher.store.lookups import Lookups
from watcher.store.organizations import Organizations
from watcher.store.outbox import Outbox, write_notifications
from watcher.store.requests import Requests
from watcher.store.schema import bring_up_to_date
from watcher.store.series import SeriesIds
from watcher.store.silences import Silences, write_silences
from watcher.store.slack_messages import SlackMessages
from watcher.store.sources import Sources
from watcher.store.usage import Usage

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one judgement decided, to be remembered together or not at all; cursor and acts are `organization`'s."""

    alerts: tuple[Alert, ...] = ()
    transitions: tuple[Transition, ...] = ()
    notifications: tuple[Notification, ...] = ()
    cursor: Mapping[str, str] = field(default_factory=dict)
    organization: str = ""
    answers: tuple[Answer, ...] = ()
    """What became of commands that it consumed, and in `acts` what the journal says of them; both are as of `at`."""
    acts: tuple[Act, ...] = ()
    at: datetime = _NEVER
    silences: tuple[Silence, ...] = ()
    groups: tuple[Group, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    actions: tuple[Action, ...] = ()
    protections: tuple[Examined, ...] = ()


class Store:
    """One database, by subject. Safe to use from several threads; close it, or use it as a context manager."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._ids = SeriesIds()
        self.organizations = Organizations(database)
        self.usage = Usage(database, self._ids)
        self.analytics = Analytics(database, self._ids)
        self.requests = Requests(database, self._ids)
        self.costs = Costs(database)
        self.day_sums = DaySums(database)
        self.claude_code = ClaudeCode(database)
        self.directory = Directory(database)
        self.limits = Limits(database)
        self.lookups = Lookups(database)
        self.sources = Sources(database)
        self.alerts = Alerts(database)
        self.outbox = Outbox(database)
        self.slack_messages = SlackMessages(database, self.alerts)
        self.cursor = Cursor(database)
        self.journal = Journal(database)
        self.commands = Commands(database)
        self.silences = Silences(database)
        self.groups = Groups(database)
        self.feedback = Feedbacks(database)
        self.actions = Actions(database)

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> Self:
        """Open the database of a URL, making or migrating it where needed (never when `read_only`).

        Every `StoreError` is one sentence for the person who started the program.
        """
        database = Database(url, read_only=read_only)
        try:
            bring_up_to_date(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def remember(self, judgement: Judgement) -> None:
        """Keep all of it in one transaction: also that commands are consumed, so each is carried out exactly once."""
        with self.database.writing() as connection:
            write_alerts(connection, judgement.alerts)
            write_transitions(connection, judgement.transitions)
            write_notifications(connection, judgement.notifications)
            write_cursor(connection, judgement.cursor, judgement.organization)
            write_answers(connection, judgement.at, judgement.answers)
            write_silences(connection, judgement.organization, judgement.silences)
            write_groups(connection, judgement.organization, judgement.groups)
            write_feedback(connection, judgement.organization, judgement.feedback)
            write_actions(connection, judgement.actions)
            write_protections(connection, judgement.organization, judgement.protections)
            write_acts(connection, judgement.at, judgement.organization, judgement.acts)

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new file of mode 0600, also while a daemon writes; raises `BackupRefused`."""
        copies.backup(self.database, target)

    def prune(self, before: datetime) -> int:
        """Remove what is older than `before`, in small transactions; returns the number of rows removed.

        Alerts that are open and notifications that are not delivered stay, whatever their age.
        """
        return retention.prune(self.database, before, self._forget_ids)

    def _forget_ids(self) -> None:
        self._ids.forget()
        self.costs.forget_lines()

    def close(self) -> None:
        """Give up the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
