"""The only thing that this program can change at Anthropic: whether an API key works."""

from typing import Literal

from watcher.admin_api import decoding
from watcher.admin_api.answers import ApiKey
from watcher.admin_api.endpoints import API_KEY, check_id
from watcher.admin_api.transport import Connection
from watcher.admin_api.wire import WireError


class KeyAdministrator:
    """Sets a key's status. It can do nothing else, and does it once."""

    def __init__(self, connection: Connection) -> None:
        self._post_once = connection.post_once

    def set_status(self, key_id: str, status: Literal["active", "inactive"]) -> ApiKey:
        """Ask the API to set the status, in one request that is never repeated; the key as the API then shows it.

        Raises AdminApiError. After `Unavailable` and `Malformed` it is not known whether the key was
        changed: read it before anything else. ValueError for another status (archiving cannot be undone) or
        for what is not an id.
        """
        if status not in ("active", "inactive"):
            raise ValueError(f"a key is set active or inactive, not {status!r}")

        def decode(body: bytes) -> ApiKey:
            key = decoding.api_key(body)
            if key.id != key_id:
                raise WireError("id: another key came back than the one that was changed")
            return key

        return self._post_once(API_KEY, {"status": status}, decode, ids={"api_key_id": check_id(key_id)})
