"""Slack's Web API: slack-sdk's client over the one way out, and its answers in the words of a delivery.

The client's own transport would follow redirects, use proxies of the environment and limit no whole exchange; so the
requests that it writes are sent by `notifiers.http`. It retries nothing by itself and logs nothing.
https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.request import Request

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse, WebClient
from slack_sdk.web.file_upload_v2_result import FileUploadV2Result

from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp

API = "https://slack.com/api/"
LARGEST_ANSWER = 2 * 1024 * 1024
"""Bytes. A page of a channel's history is much longer than other answers."""

SCOPES = {
    "chat:write": "to post",
    "channels:history": "to find after a crash what was posted in a public channel",
    "groups:history": "to find after a crash what was posted in a private channel",
    "files:write": "to upload charts",
    "users:read": "to name who pressed a button",
    "users:read.email": "to mention owners of whom only the e-mail address is known",
}
"""What the bot token is asked for, and what for; only the first is needed."""

REFUSED_FORM = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "too_many_attachments"}
)
GONE = frozenset({"message_not_found", "channel_not_found", "is_archived", "not_in_channel", "thread_not_found"})
"""Words for a message that can be neither edited nor answered any more."""
LOCKED = frozenset({"cant_update_message", "edit_window_closed", "is_inactive", "no_text"})
"""Words for a message that stands, and can no longer be edited."""
_LATER = frozenset(
    {
        "fatal_error",
        "internal_error",
        "org_login_required",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_MEANINGS = {
    "access_denied": "the token may not do this",
    "account_inactive": "the token belongs to a bot or workspace that is no more",
    "channel_not_found": "there is no channel of this id, or the bot was not invited into a private one",
    "fatal_error": "Slack failed",
    "internal_error": "Slack failed",
    "invalid_auth": "the token is not valid",
    "is_archived": "the channel is archived",
    "missing_scope": "the token lacks a scope",
    "no_permission": "the token may not do this",
    "not_allowed_token_type": "this is not a bot token (xoxb-…)",
    "not_authed": "the token is empty",
    "not_in_channel": "the bot is not in the channel: /invite it there",
    "org_login_required": "Slack is moving the workspace",
    "rate_limited": "too many messages",
    "ratelimited": "too many requests",
    "request_timeout": "Slack did not read the request in time",
    "restricted_action": "an administrator restricts who may post there",
    "service_unavailable": "Slack is not available",
    "team_access_not_granted": "the token is not for this workspace",
    "team_added_to_org": "Slack is moving the workspace",
    "thread_not_found": "the message to answer is gone",
    "token_expired": "the token has expired",
    "token_revoked": "the token was revoked",
}
_UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""After these it may have been done all the same."""
_OF_ONE_MESSAGE = frozenset({"thread_not_found"})
_A_WORD = re.compile(r"[a-z][a-z0-9_]{1,60}")
_A_SCOPE = re.compile(r"[a-z:.,_ ]{1,100}")

quiet = logging.getLogger("notifiers.slack_api.sdk")
"""slack-sdk's log: at its lower levels it writes addresses and bodies, so that nothing of it is shown."""
quiet.setLevel(logging.CRITICAL + 1)
quiet.propagate = False


class SlackRefused(DeliveryError):
    """Slack answered, and not with success; `word` is its own word for why."""

    def __init__(self, reason: str, word: str, *, retryable: bool, retry_after: float | None = None) -> None:
        takes_nothing = word in _MEANINGS and word not in _UNSURE | _OF_ONE_MESSAGE
        super().__init__(reason, retryable=retryable, retry_after=retry_after, untaken=takes_nothing)
        self.word = word


class SlackClient(WebClient):
    """slack-sdk's client, whose requests go through `http`."""

    def __init__(self, token: str, http: OutgoingHttp, url: str = API, *, allow_private: bool = False) -> None:
        super().__init__(token=token, base_url=url.rstrip("/") + "/", retry_handlers=[], logger=quiet)
        self.proxy = None
        self._http = http.reading(LARGEST_ANSWER)
        self._allow_private = allow_private

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        body = req.data if isinstance(req.data, bytes) else b""
        answer = self._http.post(url, content=body, headers=dict(req.header_items()), allow_private=self._allow_private)
        return {"status": answer.status, "headers": dict(answer.headers), "body": answer.excerpt}

    def _upload_file(self, *, url: str, data: bytes, **_others: Any) -> FileUploadV2Result:
        answer = self._http.post(url, content=data, allow_private=self._allow_private)
        return FileUploadV2Result(status=answer.status, body="")


class SlackApi:
    """The calls of one token, which is a secret. Raises DeliveryError, and nothing else."""

    def __init__(self, token: str, http: OutgoingHttp, url: str = API, *, allow_private: bool = False) -> None:
        self.allow_private = allow_private
        self.client = SlackClient(token, http, url, allow_private=allow_private)

    def __repr__(self) -> str:
        return "SlackApi()"

    def call(self, ask: Callable[[WebClient], SlackResponse]) -> SlackResponse:
        """What Slack answers to `ask`; raises `SlackRefused` where it says no."""
        failure: DeliveryError
        try:
            return ask(self.client)
        except DeliveryError as error:
            failure = error
        except SlackApiError as error:
            failure = _refused(error.response)
        except SlackClientError:
            failure = DeliveryError("Slack's answer is not what it documents", retryable=True)
        # Raised outside, or the library's error, which holds what Slack answered, would hang behind it.
        raise failure

    def history(self, channel: str, thread: str = "") -> list[Mapping[str, Any]]:
        """The newest messages of a channel, or those of a thread, with their metadata."""
        if thread:
            found = self.call(
                lambda client: client.conversations_replies(
                    channel=channel, ts=thread, include_all_metadata=True, limit=200
                )
            )
        else:
            found = self.call(
                lambda client: client.conversations_history(channel=channel, include_all_metadata=True, limit=100)
            )
        messages = found.get("messages")
        return [each for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []


def _refused(response: Any) -> DeliveryError:
    """What Slack's answer means. Its word alone is quoted, where it is one."""
    if not isinstance(response, SlackResponse) or not isinstance(response.data, dict):
        return DeliveryError("Slack's answer is not what it documents", retryable=True)
    word = response.data.get("error")
    if not isinstance(word, str) or not _A_WORD.fullmatch(word):  # slack-sdk's own, where the answer was no JSON
        return DeliveryError("Slack's answer is not what it documents", retryable=True)
    meaning = _MEANINGS.get(word, "it refuses the message's form" if word in REFUSED_FORM else "")
    needed = response.data.get("needed")
    if word == "missing_scope" and isinstance(needed, str) and _A_SCOPE.fullmatch(needed):
        meaning = f"the token lacks the scope {needed}"
    reason = f"Slack refuses it: {word}{f', {meaning}' if meaning else ''}"
    wait = response.headers.get("retry-after", "") if response.headers else ""
    after = float(wait) if isinstance(wait, str) and wait.isascii() and wait.isdigit() else None
    return SlackRefused(reason, word, retryable=word in _LATER, retry_after=after if word in _LATER else None)
