"""Values of the receivers' tables: hosts and e-mail addresses, which end up in headers, and how to encrypt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import formataddr, parseaddr
from typing import Literal, cast

from watcher.config.problems import Wrong, shown
from watcher.config.values import one_of, text

MOST_RECIPIENTS = 50
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:_-]{0,251}[A-Za-z0-9.])?")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def host(value: object) -> str:
    """A mail server's name or address, without a port."""
    found = text(value).strip()
    bare = found[1:-1] if found.startswith("[") and found.endswith("]") else found
    if not _HOST.fullmatch(bare) or (":" in bare and bare.count(":") < 2):
        raise Wrong(f'must be a host name such as "smtp.example" (`port` has its own setting), not {shown(value)}')
    return bare


def tls(value: object) -> Literal["starttls", "implicit", "none"]:
    """How the connection is encrypted."""
    return cast(Literal["starttls", "implicit", "none"], one_of("starttls", "implicit", "none")(value))


def mail_address(value: object) -> str:
    """An address as `name@host`, or with a name before it, in the form in which it stands in a header."""
    found = text(value).strip()
    right = 'must be an e-mail address such as "ops@team.example" or "Ops <ops@team.example>"'
    name, address = parseaddr(found)
    if not found.isprintable() or not _ADDRESS.fullmatch(address) or found.count("@") != 1 or "," in found:
        raise Wrong(f"{right}, not {shown(value)}")
    return formataddr((name, address)) if name else address


def recipients(values: Sequence[str]) -> Sequence[str]:
    """A list of addresses, each once."""
    addresses = [parseaddr(value)[1].lower() for value in values]
    if not addresses:
        raise Wrong('must name at least one address, as in to = ["ops@team.example"]')
    if len(addresses) > MOST_RECIPIENTS:
        raise Wrong(f"must name at most {MOST_RECIPIENTS} addresses: a mailing list takes more")
    twice = next((each for index, each in enumerate(addresses) if each in addresses[:index]), None)
    if twice is not None:
        raise Wrong(f"must name each address once: {shown(twice)} stands there twice")
    return values
