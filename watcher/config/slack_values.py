"""Values of a Slack receiver's table: ids of channels and users, and what tokens look like."""

from __future__ import annotations

import re
from collections.abc import Sequence

from watcher.config.problems import Wrong, shown
from watcher.config.values import text

MOST_ACTORS = 200
BOT_KEYS = ("channel", "app_token", "app_token_file", "actors", "api_url")
"""What only a bot has."""
_CHANNEL = re.compile(r"[CG][A-Z0-9]{8,20}")
_USER = re.compile(r"[UW][A-Z0-9]{6,20}")
_TOKEN = re.compile(r"[A-Za-z0-9-]{10,300}")


def channel(value: object) -> str:
    """The id of a channel."""
    found = text(value).strip()
    if not _CHANNEL.fullmatch(found):
        where = "Slack shows it at the end of the channel's details"
        raise Wrong(f'must be the channel\'s id, such as "C0123456789" ({where}), not {shown(value)}')
    return found


def user(value: object) -> str:
    """The id of a user."""
    found = text(value).strip()
    if not _USER.fullmatch(found):
        raise Wrong(f'must hold member ids, such as "U0123456789" (a profile\'s menu copies it), not {shown(value)}')
    return found


def actors(values: Sequence[str]) -> Sequence[str]:
    """The ids of users, each once."""
    if len(values) > MOST_ACTORS:
        raise Wrong(f"must name at most {MOST_ACTORS} people")
    twice = next((each for index, each in enumerate(values) if each in values[:index]), None)
    if twice is not None:
        raise Wrong(f"must name each once: {shown(twice)} stands there twice")
    return values


def bot_token(secret: str) -> str:
    """A bot token; what it is instead is not told."""
    return _token(secret, "a bot token", "xoxb-")


def app_token(secret: str) -> str:
    """An app-level token; what it is instead is not told."""
    return _token(secret, "an app-level token", "xapp-")


def _token(secret: str, kind: str, begins: str) -> str:
    if not secret.startswith(begins):
        raise Wrong(f"must be {kind}, which begins with {begins}")
    if not _TOKEN.fullmatch(secret):
        raise Wrong(
            f"must be the whole of {kind}: it begins with {begins}, but what follows is too short or too long, or not "
            "of letters, digits and dashes alone"
        )
    return secret
