"""Listening for what is pressed in Slack, for as long as a configuration is in force."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
from notifiers.text import clean
from watcher.channels import slack_api
from watcher.clock import Clock
from watcher.logs import logger
from watcher.settings import Settings, ShutoffSettings, SlackBotSettings
from watcher.store import Store

if TYPE_CHECKING:
    from notifiers.slack_api import SlackApi
    from notifiers.slack_buttons import Press
    from notifiers.slack_socket import SlackSocket
    from watcher.slack_actions import Reply

log = logger(__name__)

QUICK = 1.5
"""Seconds to ask for a user's name in, while Slack waits to hear that a press was taken."""

ANSWERING = 4.0
"""Seconds to answer a press in: a thread that still does so would hold up the program's end."""


class Listening:
    """The connections to Slack of one configuration after the other."""

    def __init__(self, store: Store, clock: Clock, *, quick: float = QUICK, answering: float = ANSWERING) -> None:
        """`quick` and `answering` are how many seconds a user's name, and an answer to a press, may take."""
        self._store, self._clock = store, clock
        self._quick, self._answering = quick, answering
        self._shutoff: ShutoffSettings | None = None
        self._sockets: tuple[SlackSocket, ...] = ()

    def begin(self, settings: Settings, http: OutgoingHttp, organizations: Callable[[], Collection[str]]) -> None:
        """Listen for the receivers of these settings, and no longer for those before."""
        self.stop()
        apps: dict[str, list[SlackBotSettings]] = {}
        for bot in settings.receivers:
            if isinstance(bot, SlackBotSettings) and bot.app_token:
                apps.setdefault(bot.app_token.reveal(), []).append(bot)
        self._shutoff = settings.shutoff
        self._sockets = tuple(self._socket(token, bots, http, organizations) for token, bots in apps.items())
        for each in self._sockets:
            each.start()

    def stop(self) -> None:
        """Listen no more."""
        for each in self._sockets:
            each.stop()
        self._sockets = ()

    def _socket(
        self,
        token: str,
        bots: Sequence[SlackBotSettings],
        http: OutgoingHttp,
        organizations: Callable[[], Collection[str]],
    ) -> SlackSocket:
        """One for all receivers of an app: Slack hands a press to any connection of it."""
        from notifiers.slack_socket import SlackSocket  # noqa: PLC0415 (large, and few have one)
        from watcher.slack_actions import SlackActions  # noqa: PLC0415
        from watcher.slack_shutoff import SlackShutoff  # noqa: PLC0415

        first = bots[0]
        api, answering = slack_api(first, http), slack_api(first, OutgoingHttp(timeout=self._answering))
        name_of = _Names(slack_api(first, OutgoingHttp(timeout=self._quick))).of
        keys = SlackShutoff(self._store, self._clock, self._shutoff, organizations)
        actions = {
            bot.name: SlackActions(self._store, self._clock, bot.name, bot.actors, organizations, name_of, keys=keys)
            for bot in bots
        }

        def take(press: Press) -> Callable[[], None]:
            there = sorted(bots, key=lambda bot: bot.channel != press.channel)
            name = next((bot.name for bot in there if actions[bot.name].knows(press)), there[0].name)
            reply = actions[name].take(press)
            return lambda: None if reply is None else _answer(answering, name, press, reply)

        proxy = first.way.proxy.reveal() if first.way.proxy else None
        tls = None if first.way.ca_file is None else ssl.create_default_context(cafile=str(first.way.ca_file))
        return SlackSocket(first.name, api, token, take, proxy, tls)


class _Names:
    """What Slack's users are called, asked for once each."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._known: dict[str, str] = {}

    def of(self, user: str) -> str:
        """The display name, or the name; "" where the token may not ask, or no answer comes in time."""
        if user not in self._known:
            try:
                found = self._api.call(lambda client: client.users_info(user=user)).get("user")
            except DeliveryError:
                return ""
            told = found if isinstance(found, dict) else {}
            profile = told.get("profile")
            display = profile.get("display_name") if isinstance(profile, dict) else None
            name = display or told.get("real_name") or told.get("name")
            self._known[user] = clean(name, 60) if isinstance(name, str) and name.strip() else ""
        return self._known[user]


def _answer(api: SlackApi, receiver: str, press: Press, reply: Reply) -> None:
    """Say it in the thread; that it could not be said changes nothing."""
    where: dict[str, Any] = {"channel": press.channel, "thread_ts": press.thread, "text": reply.text}
    try:
        if reply.aloud:
            api.call(lambda client: client.chat_postMessage(**where))
        else:
            api.call(lambda client: client.chat_postEphemeral(user=press.user, **where))
    except DeliveryError as error:
        log.warning("a press in Slack was not answered", receiver=receiver, why=error.reason)
