"""Standard Webhooks: how a request says from whom it is, and that nobody changed or repeated it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: HMAC-SHA256 over
`id.timestamp.body`, in base64, behind the version `v1,`. Several signatures stand with blanks between, one for each
secret, so that a receiver can change from one to the other at its own time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64


def read_keys(text: str) -> tuple[bytes, ...]:
    """The keys of one or several secrets `whsec_…` with blanks between.

    Raises ValueError with a clause that says what would be right and shows nothing of them.
    """
    return tuple(_key(secret) for secret in text.split())


def signed_headers(ident: str, seconds: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of a message sent at `seconds` after 1970; the id is the same on every try."""
    content = f"{ident}.{seconds}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": ident,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


def _key(secret: str) -> bytes:
    right = f"must be {PREFIX} and behind it the base64 of {_LEAST_BYTES} to {_MOST_BYTES} bytes"
    if not secret.startswith(PREFIX):
        raise ValueError(f"{right}; several stand with blanks between")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise ValueError(f'{right}, as "openssl rand -base64 32" makes it')
    return key
