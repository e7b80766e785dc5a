"""Addresses in the configuration: what each may look like, checked offline and without a look-up of names.

Each function takes the text and returns the value to use, or raises `Wrong` with a sentence that shows nothing of an
address that may be a secret. That a *name* does not lead to a private address is checked where the connection is made.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from notifiers.addresses import address_class, read_target
from notifiers.base import DeliveryError
from watcher.config.problems import Wrong, shown

_URL_TEXT = re.compile(r"[!-~]+")
_NUMBERS_ONLY = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)?)*", re.IGNORECASE)
_FOUR_NUMBERS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_LISTEN = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*):(?P<port>[0-9]{1,5})")


def is_loopback(url: str) -> bool:
    """Whether the URL leads to a program on this machine, a simulator for instance."""
    return is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Whether the host is this machine and nothing else: 127.0.0.0/8 in four plain numbers, ::1, or localhost."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def base_url(text: str) -> str:
    """The Admin API's address, without a slash at its end."""
    parts = _split(text, 'must be an address such as "https://api.anthropic.com"')
    host = parts.hostname or ""
    if parts.scheme not in {"https", "http"}:
        raise Wrong('must begin with "https://"')
    if parts.scheme == "http" and not is_loopback_host(host):
        raise Wrong("must be https, since the Admin key travels on it; http is for this machine alone (127.0.0.1, ::1)")
    if "@" in parts.netloc:
        raise Wrong("must hold no user and no password")
    if "?" in text or "#" in text:
        raise Wrong("must hold no ? and no #: it is only where the API begins")
    path = parts.path.rstrip("/")
    if path.split("/")[-1] == "v1":
        raise Wrong('must end before "/v1", which is added to it')
    return f"{parts.scheme}://{parts.netloc}{path}"


def proxy_url(text: str) -> str:
    """A proxy, `http://host:port`, with user and password in it where it wants them."""
    right = 'must be an address such as "http://proxy.example:3128"'
    if _split(text, right).scheme not in {"http", "https"}:
        raise Wrong(f"{right}; other kinds of proxy are not supported")
    return text


def receiver_url(text: str, *, allow_private: bool, public_http: bool = True) -> str:
    """Where messages go: what the notifiers accept (`notifiers.addresses.read_target`), and nothing else.

    http and private addresses need `allow_private`; with `public_http` off, http to an address that is plainly public
    is refused even then.
    """
    try:
        target = read_target(text, allow_private=allow_private)
    except DeliveryError as error:
        raise Wrong(error.reason.replace("the receiver's", "the")) from None
    public = target.literal is not None and address_class(target.literal) == "public"
    if target.scheme == "http" and public and not public_http:
        raise Wrong("must be https: http is for private and loopback addresses, and this one is public")
    return text


def listen(text: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:9477" or "[::1]:9477": an address in numbers or localhost; port 0 is any free one."""
    right = 'must be host and port, such as "127.0.0.1:9477" or "[::1]:9477"'
    match = _LISTEN.fullmatch(text)
    if match is None or not match["host"]:
        raise Wrong(f"{right}, not {shown(text)}")
    host, port = match["host"].strip("[]"), int(match["port"])
    if port > 65_535:
        raise Wrong(f"{right}; ports end at 65535")
    if (":" in host) != match["host"].startswith("[") or not (is_loopback_host(host) or _is_address(host)):
        raise Wrong(f"{right}: an address in numbers, or localhost")
    return host, port


def _is_address(host: str) -> bool:
    try:
        return getattr(ipaddress.ip_address(host), "ipv4_mapped", None) is None
    except ValueError:
        return False


def external_url(text: str) -> str:
    """Where people reach the status page, for links in messages; with one slash at its end."""
    right = 'must be an address such as "https://watcher.example/"'
    parts = _split(text, right)
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or "?" in text or "#" in text:
        raise Wrong(f"{right}, without user, ? and #")
    return text.rstrip("/") + "/"


def store_url(text: str, beside: Path) -> tuple[str, Path | None]:
    """The database's URL for SQLAlchemy, and its file if it is SQLite. A relative file lies in `beside`."""
    right = 'must be "sqlite:///watcher.db" or "postgresql://user@host/database"'
    scheme, separator, rest = text.partition("://")
    if not separator or not text.isprintable():
        raise Wrong(right)
    if scheme == "sqlite":
        return _sqlite(rest, beside)
    if scheme == "postgres":
        raise Wrong('must begin with "postgresql://", not "postgres://"')
    if scheme not in {"postgresql", "postgresql+psycopg"}:
        raise Wrong(f"{right}; no other database is supported")
    try:
        parts = urlsplit(f"postgresql://{rest}")
        named = bool(parts.hostname) or "host=" in parts.query
        _ = parts.port
    except ValueError:
        raise Wrong(right) from None
    if not named or not parts.path.strip("/"):
        raise Wrong("must name a host and a database, as in postgresql://user@host/database")
    return f"postgresql+psycopg://{rest}", None


def _sqlite(rest: str, beside: Path) -> tuple[str, Path]:
    if not rest.startswith("/"):
        raise Wrong('must have three slashes, "sqlite:///watcher.db", or four where the path begins at the root')
    name = rest[1:]
    if name in {"", ":memory:"}:
        raise Wrong('must name a file, as in "sqlite:///watcher.db": a database in memory forgets what it has told')
    if name.startswith("~"):
        raise Wrong('must not begin with "~": write the path in full, or ${HOME}')
    path = Path(beside, name)
    if "?" in str(path) or "%" in str(path):
        raise Wrong("must lead to a path without ? and %, which mean something else in such an address")
    try:
        folder = path.is_dir() or name.endswith("/")
    except OSError as error:
        raise Wrong(f"names a file that cannot be looked at: {error.strerror}") from None
    if folder:
        raise Wrong("names a folder: name a file in it")
    return f"sqlite:///{path}", path


def _split(text: str, right: str) -> SplitResult:
    """The URL's parts. Only plain characters are let through, so that no two parsers can read it differently."""
    if not _URL_TEXT.fullmatch(text) or "\\" in text:
        raise Wrong(f"{right}, without blanks and in plain ASCII")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Wrong(right) from None
    if not host or port == 0 or "%" in host:
        raise Wrong(right)
    if _NUMBERS_ONLY.fullmatch(host) and not _FOUR_NUMBERS.fullmatch(host):
        raise Wrong("has a host that is a number in an unusual spelling: write the address in its usual four numbers")
    return parts
