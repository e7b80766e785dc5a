"""Who an owner is in Slack: looked up by the e-mail address, where the bot's token may, and remembered for a day.

A message never waits for it longer than `QUICK`, and never fails for it: who was not found is named, and not mentioned.
After a failure nobody is looked up for a while. https://docs.slack.dev/reference/methods/users.lookupByEmail
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from email.utils import parseaddr

from notifiers.base import DeliveryError
from notifiers.slack_api import SlackApi, SlackRefused
from notifiers.story import Story, Words
from notifiers.text import clean
from rules.owned import is_slack_id

log = logging.getLogger(__name__)

QUICK = 1.5
"""Seconds for one look-up, and for all of one message: the last may begin just before they are over."""
REMEMBERED = 24 * 3600.0
"""Seconds that an answer holds, also that there is nobody."""
REST = 600.0
"""Seconds without a look-up after one that failed."""
MOST = 5_000
"""People who are remembered."""


class People:
    """The people of one receiver's workspace."""

    def __init__(
        self, receiver: str, api: SlackApi, seconds: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        """`api` is to answer within `QUICK`; `seconds` gives time that only moves forward; `most` are remembered."""
        self._receiver, self._api, self._seconds = receiver, api, seconds
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._most, self._rests_until = most, 0.0
        self._said: set[str] = set()

    def named(self, told: Story) -> Story:
        """The story, with the Slack ids of those whom it may mention and of whom it has but an address."""
        until = self._seconds() + QUICK
        return replace(told, lead=tuple(tuple(self._named(words, until) for words in row) for row in told.lead))

    def _named(self, words: Words, until: float) -> Words:
        whom = words.whom
        if whom is None or whom.slack or not whom.email:
            return words
        return replace(words, whom=replace(whom, slack=self._of(parseaddr(whom.email)[1].lower(), until)))

    def _of(self, address: str, until: float) -> str:
        """The id of the user with this address; "" where there is none, or it is not known now."""
        now = self._seconds()
        found, holds_until = self._known.get(address, ("", 0.0))
        if now < holds_until or now < self._rests_until or now >= until or not address:
            return found
        try:
            found = self._ask(address)
        except DeliveryError as error:
            word = error.word if isinstance(error, SlackRefused) else ""
            self._rests_until = self._seconds() + max(REST, error.retry_after or 0.0)
            self._say(word or "unreachable", f"owners are not mentioned by their e-mail addresses: {error.reason}")
            return found
        self._known[address] = found, self._seconds() + REMEMBERED
        self._known.move_to_end(address)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return found

    def _ask(self, address: str) -> str:
        """The id of an active user, or "". Raises DeliveryError where Slack does not say."""
        try:
            answer = self._api.call(lambda client: client.users_lookupByEmail(email=address))
        except SlackRefused as error:
            if error.word != "users_not_found":
                raise
            self._say(address, f"nobody in the Slack workspace has the address of the owner {clean(address, 100)}")
            return ""
        user = answer.get("user")
        ident = user.get("id") if isinstance(user, dict) and not user.get("deleted") else None
        return ident if isinstance(ident, str) and is_slack_id(ident) and not ident.startswith("S") else ""

    def _say(self, about: str, words: str) -> None:
        """Log it, if nothing was said of the same before."""
        if about not in self._said and len(self._said) < self._most:
            self._said.add(about)
            log.warning("receiver %s: %s", self._receiver, words)
