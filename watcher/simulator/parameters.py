"""Query parameters, read strictly: what an endpoint does not know, or cannot take, is a 400 that names it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from watcher.simulator.errors import invalid

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class Parameters:
    """The query of one request. Arrays may be spelled `name[]=` or `name=`, and repeated.

    Raises:
        ApiError: 400 for a name that is not in `names`.
    """

    def __init__(self, items: Sequence[tuple[str, str]], names: Collection[str]) -> None:
        self._values: dict[str, list[str]] = {}
        for raw, value in items:
            name = raw.removesuffix("[]")
            if name not in names:
                raise invalid(f"{raw}: Extra inputs are not permitted")
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        """The one value, or None. 400 when it is given twice."""
        values = self._values.get(name, [])
        if len(values) > 1:
            raise invalid(f"{name}: Input should be a single value")
        return values[0] if values else None

    def texts(self, name: str, allowed: Collection[str] | None = None) -> tuple[str, ...]:
        """All values in order, without repetition. 400 for one that is not allowed."""
        values = tuple(dict.fromkeys(self._values.get(name, [])))
        for value in values:
            if allowed is not None and value not in allowed:
                raise invalid(f"{name}: Input should be one of {_listed(allowed)}, got {value!r}")
        return values

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """One of the allowed words, or None. 400 for another."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise invalid(f"{name}: Input should be one of {_listed(allowed)}, got {value!r}")
        return value

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number in [lowest, highest]. 400 otherwise."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit()):
            raise invalid(f"{name}: Input should be a valid integer, got {value!r}")
        number = int(value)
        if not lowest <= number <= highest:
            raise invalid(f"{name}: Input should be between {lowest} and {highest}, got {number}")
        return number

    def flag(self, name: str) -> bool:
        """true or false, false when missing. 400 otherwise."""
        return self.choice(name, ("true", "false")) == "true"

    def moment(self, name: str) -> datetime | None:
        """An RFC 3339 moment with a zone, in UTC, or None. 400 otherwise."""
        value = self.text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise invalid(f"{name}: Input should have timezone info, got {value!r}")
            moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise invalid(f"{name}: Input should be a valid RFC 3339 datetime, got {value!r}") from None
        if not EARLIEST <= moment < LATEST:
            raise invalid(f"{name}: Input should lie between {EARLIEST.year} and {LATEST.year}, got {value!r}")
        return moment

    def day(self, name: str) -> datetime:
        """A required date, YYYY-MM-DD, as the UTC midnight it begins with. 400 otherwise."""
        value = self.text(name)
        if value is None:
            raise invalid(f"{name}: Field required")
        try:
            day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise invalid(f"{name}: Input should be a date in YYYY-MM-DD format, got {value!r}") from None
        if not EARLIEST <= day < LATEST:
            raise invalid(f"{name}: Input should lie between {EARLIEST.year} and {LATEST.year}, got {value!r}")
        return day

    def fingerprint(self) -> str:
        """The whole query but the page, in a form that is equal for equal questions."""
        rest = {name: values for name, values in self._values.items() if name != "page"}
        return repr(sorted(rest.items()))


def _listed(words: Collection[str]) -> str:
    return ", ".join(repr(word) for word in sorted(words))
