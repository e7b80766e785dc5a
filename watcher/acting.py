"""After a judgement is committed: what the journal intends is carried out, with everything asked anew before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from rules.action_news import Listeners, messages
from rules.action_requests import PAUSE
from rules.actions import Action, ActionNews
from rules.model import Notification
from watcher.brake import in_force, remembered_brake
from watcher.guarding import Hands
from watcher.ingest import Plan, Reader, ingest
from watcher.ingest.plan import OPEN_HOURS
from watcher.ingest.windows import HOUR, Hours, hour_of
from watcher.ledger import Ledger
from watcher.shutoff import Shutoff, Surroundings
from watcher.store import Store


class ReadAgain:
    """Reads the newest hours of usage once more, at most once a cycle."""

    def __init__(
        self, reader: Reader, store: Store, ledger: Ledger, organization: str, clock: Callable[[], datetime]
    ) -> None:
        self._reader, self._store, self._ledger = reader, store, ledger
        self._organization, self._clock = organization, clock
        self._found: str | None = None

    def __call__(self, _row: Action) -> str:
        """Why what is read now does not bear an action out, as a clause; "" where nothing was taken back."""
        if self._found is None:
            self._found = self._read()
        return self._found

    def _read(self) -> str:
        now = self._clock()
        hour = hour_of(now)
        plan = Plan(usage=Hours(hour - OPEN_HOURS, hour + HOUR))
        read = ingest(self._reader, self._store, self._organization, now, plan)
        self._ledger.refresh(now, read.changed_hours, read.changed_days)
        if read.failures:
            return f"usage could not be read again just before ({'; '.join(read.failures.values())})"
        return "what was read again just before is less than what was judged" if read.shrunk_hours else ""


def carry_out(
    store: Store,
    hands: Hands,
    stands: Callable[[Action], str],
    listeners: Listeners,
    organization: str,
    clock: Callable[[], datetime],
) -> Sequence[Action]:
    """Do what the journal intends, as far as it comes in this cycle. Raises StoreError.

    Every step is judged, and noted, by the time that it is then: an API that is slow makes minutes of a cycle.
    """

    def brake() -> str:
        if any(command.what == PAUSE for command in store.commands.pending(organization)):
            return "somebody has just asked to pause actions"
        now = clock()
        found = in_force(remembered_brake(store, organization), hands.brake_file, now)
        return found.words if found.holds(now) else ""

    def tell(row: Action) -> Sequence[Notification]:
        return messages([ActionNews("ended", (row,))], listeners, clock())

    surroundings = Surroundings(clock=clock, brake=brake, stands=stands, tell=tell, halted=hands.halted)
    return Shutoff(store, organization, hands.reader, hands.administrator, surroundings).carry_out()
