"""Putting the buckets of a report together, and noticing when they are not whole."""

from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from watcher.admin_api.errors import Malformed

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bucket(Protocol):
    """A slice of time."""

    @property
    def starting_at(self) -> datetime:
        """Its first moment."""

    @property
    def ending_at(self) -> datetime:
        """The first moment after it."""


B = TypeVar("B", bound=Bucket)


class BucketSequence(Generic[B]):
    """Buckets of one width from `starting_at` on, each beginning where the last ended.

    The bounds are widened to whole buckets; ValueError for naive ones or an empty range. With `ending_at`
    None the range has no end.
    """

    def __init__(self, endpoint: str, width: timedelta, starting_at: datetime, ending_at: datetime | None) -> None:
        if starting_at.tzinfo is None or (ending_at is not None and ending_at.tzinfo is None):
            raise ValueError("a report is asked for by moments with a zone")
        if ending_at is not None and ending_at <= starting_at:
            raise ValueError("a report is asked for by a range that ends after it starts")
        self._endpoint = endpoint
        self._width = width
        self.starting_at = starting_at.astimezone(UTC) - (starting_at - _EPOCH) % width
        self.ending_at = None if ending_at is None else ending_at.astimezone(UTC) + (_EPOCH - ending_at) % width
        self._buckets: list[B] = []

    @property
    def buckets(self) -> tuple[B, ...]:
        """What has come so far, oldest first."""
        return tuple(self._buckets)

    @property
    def reached(self) -> datetime:
        """The end of what has come so far."""
        return self._buckets[-1].ending_at if self._buckets else self.starting_at

    @property
    def complete(self) -> bool:
        """Whether all that was asked for is there."""
        return self.ending_at is not None and self.reached >= self.ending_at

    def extend(self, buckets: tuple[B, ...]) -> None:
        """Append; Malformed for a bucket that is not exactly the next one, or lies outside the range."""
        for bucket in buckets:
            expected = self.reached
            if bucket.starting_at != expected:
                what = "is missing" if bucket.starting_at > expected else "came again or out of order"
                self._refuse(f"the report is not whole: the bucket of {min(expected, bucket.starting_at)} {what}")
            if bucket.ending_at - bucket.starting_at != self._width:
                self._refuse(f"the bucket of {expected} ends at {bucket.ending_at}, not {self._width} later")
            if self.ending_at is not None and bucket.ending_at > self.ending_at:
                self._refuse(f"the bucket of {expected} lies outside what was asked for")
            self._buckets.append(bucket)

    def require(self, until: datetime) -> None:
        """Malformed if a bucket that ended at or before `until`, and was asked for, has not come."""
        missing = self.reached
        if missing + self._width <= until and not self.complete:
            self._refuse(
                f"the report is not whole: it ends before the bucket of {missing}, or this machine's clock is ahead"
            )

    def _refuse(self, reason: str) -> None:
        raise Malformed(self._endpoint, 200, None, reason)
