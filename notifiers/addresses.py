"""Which addresses a receiver may have: reading its URL, and classifying what the name resolves to.

A receiver's URL is written by whoever may edit the configuration, and the daemon often runs where it can reach things
that person cannot: cloud metadata, databases, the Admin page of a neighbour. So a host is a plain name or a canonical
IP address and nothing else, and only global unicast addresses are reached without the owner's `allow_private`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from notifiers.base import DeliveryError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

PRIVATE = frozenset({"private", "loopback", "shared (CGNAT)"})
"""The classes that `allow_private` opens. The others, link-local with its cloud metadata among them, stay shut."""

# First match wins. What Python's own `is_private` and `is_global` answer differs between its versions and misses
# CGNAT, multicast and every form that carries an IPv4 address inside, so the registries are written out here:
# https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
_CLASSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "fc00::/7", "fec0::/10")),
    ("shared (CGNAT)", ("100.64.0.0/10",)),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("reserved", ("192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4")),
    # Tunnels and translators: whoever runs one may be led to any IPv4 address, so none of them is a receiver.
    # In order: IPv4-compatible, IPv4-translated, local NAT64, Teredo, 6to4 and its relays.
    ("translated", ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "192.88.99.0/24")),
    ("reserved", ("2001::/23", "2001:db8::/32", "3fff::/20")),
)
_NETWORKS = tuple((name, ipaddress.ip_network(text)) for name, texts in _CLASSES for text in texts)
_GLOBAL_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)
_LOW_32 = 0xFFFFFFFF

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def address_class(address: Address) -> str:
    """ "public", or why the address is not: "private", "loopback", "shared (CGNAT)", "link-local", "multicast", …

    IPv4-mapped and well-known NAT64 addresses are classified by the IPv4 address inside.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address_class(address.ipv4_mapped)
        if address in _NAT64:
            return address_class(ipaddress.IPv4Address(int(address) & _LOW_32))
    for name, network in _NETWORKS:
        if address.version == network.version and address in network:
            return name
    if isinstance(address, ipaddress.IPv6Address):
        if (int(address) >> 32) & _LOW_32 in _ISATAP:
            return "translated"
        if address not in _GLOBAL_UNICAST_6:
            return "reserved"
    return "public"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL points, taken apart; every part may be secret, so none is shown."""

    scheme: str = field(repr=False)
    host: str = field(repr=False)
    """A name without a trailing dot, or the canonical text of an IP address without brackets."""
    port: int = field(repr=False)
    path: str = field(repr=False)
    """Path and query, as written."""
    literal: Address | None = field(repr=False)
    """The address, when the URL gives one instead of a name."""

    @property
    def host_header(self) -> str:
        """The value of the Host header: with brackets and port where they are needed."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL, as its parts were understood."""
        return f"{self.scheme}://{self.host_header}{self.path}"

    def url_at(self, address: Address) -> str:
        """The same URL with the address in place of the name."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def read_target(url: str, *, allow_private: bool) -> Target:
    """Take a receiver's URL apart. Raises DeliveryError, not retryable, for one that is not accepted.

    Accepted are https (and with `allow_private` also http), a host name or a canonical IP address, a port, a path and
    a query. Other spellings of an address (127.1, 0x7f000001, 2130706433, 0, a leading zero) are refused, and so are
    user names, fragments, blanks and backslashes: parsers disagree about what they mean.
    """
    if any(not "!" <= char <= "~" for char in url) or "\\" in url:
        raise _unfit("holds a blank, a backslash, or a character outside ASCII (write a host as xn--…)")
    parts, port = _split(url)
    if parts.scheme not in {"http", "https"}:
        raise _unfit("does not begin with https://")
    if parts.scheme == "http" and not allow_private:
        raise _unfit("is http://, which sends in the clear; allow_private = true would permit it")
    if "@" in parts.netloc:
        raise _unfit("carries a user name before an @")
    if "#" in url:
        raise _unfit("has a fragment (#), which is never sent")
    if port == 0 or parts.netloc.endswith(":"):
        raise _unfit("has no valid port")
    host, literal = _read_host(parts.netloc, parts.hostname or "")
    target = Target(
        scheme=parts.scheme,
        host=host,
        port=port or _default_port(parts.scheme),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        literal=literal,
    )
    if literal is not None:
        require_fit(literal, allow_private=allow_private)
    return target


def require_fit(address: Address, *, allow_private: bool) -> None:
    """Raise DeliveryError, not retryable, for an address that is not public (or, if allowed, private or loopback)."""
    found = address_class(address)
    if found == "public" or (allow_private and found in PRIVATE):
        return
    remedy = "; allow_private = true would permit it" if found in PRIVATE else ""
    raise DeliveryError(f"the receiver's address is {found}, which is refused{remedy}", retryable=False, untaken=True)


def _split(url: str) -> tuple[SplitResult, int | None]:
    """The URL's parts and port. The error is raised afresh: the library's text quotes what it could not read."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        pass
    raise _unfit("is not a URL, or its port is not a number up to 65535")


def _read_host(netloc: str, hostname: str) -> tuple[str, Address | None]:
    if netloc.startswith("["):
        try:
            address6 = ipaddress.IPv6Address(hostname)
        except ValueError:
            raise _unfit("has no valid address between its brackets") from None
        if address6.scope_id is not None:
            raise _unfit("names a network interface (%) in its address")
        return str(address6), address6
    if _NUMBER.fullmatch(hostname.rstrip(".").rpartition(".")[2]):
        try:
            address4 = ipaddress.IPv4Address(hostname)
        except ValueError:
            raise _unfit("spells an IP address in a form other than four decimal numbers") from None
        return str(address4), address4
    name = hostname.removesuffix(".")
    if _NAME.fullmatch(name) is None:
        raise _unfit("has no valid host name")
    return name, None


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _unfit(why: str) -> DeliveryError:
    return DeliveryError(f"the receiver's URL {why}", retryable=False, untaken=True)
