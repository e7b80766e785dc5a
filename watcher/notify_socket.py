"""What the service manager that started this program is told: ready, alive, reloading, ending.

systemd names a datagram socket in `NOTIFY_SOCKET` and reads lines of `NAME=value` from it (sd_notify(3)). Without such
a socket nothing is told to anybody. What is told holds no name, no amount and no secret: everybody on the machine may
read it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from watcher.logs import logger

log = logger(__name__)

_LONGEST_READING = timedelta(minutes=15)
"""How long a start may take without anything having been read meanwhile."""
_CYCLES_OVERDUE = 3
"""So many intervals without a finished cycle mean that the program hangs, however short the manager's own patience."""


class NotifySocket:
    """Tells a service manager how the program is; safe from any thread. A manager that does not listen is logged once.

    **Ready** is told when each organization's first cycle has ended, not when the process is up: what is ordered after
    the program then finds figures, and the watchdog, which counts from there, does not take the first reading of a
    long history for a hang. Until then every step of that reading asks for more time.

    **Alive** is told when another cycle of each organization has ended since, and by nothing else: no timer, no page
    and no delivery vouches for the one thing that the program is for. A cycle in which the API failed has ended too,
    as starting the program anew would mend nothing.
    """

    def __init__(self, address: str | None, patience: timedelta | None = None) -> None:
        """`address` is a path, or a name in the abstract namespace after "@"; `patience` is the watchdog's."""
        usable = address is not None and address[:1] in {"/", "@"} and len(address) > 1
        self._address = address if usable else None
        self._patience = patience
        self._ready = False
        self._unheard = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The one that the environment names. A watchdog that is not a number of microseconds is none."""
        given = environment.get("WATCHDOG_USEC", "")
        patience = timedelta(microseconds=int(given)) if given.isascii() and given.isdigit() else None
        return cls(environment.get("NOTIFY_SOCKET"), patience)

    def history(self, done: int, total: int) -> None:
        """A step of the history was read: `done` of `total` days."""
        if not self._ready:
            more = _microseconds(_LONGEST_READING)
            self._tell(f"EXTEND_TIMEOUT_USEC={more}", f"STATUS=reading the history: {done} of {total} days")

    def cycles_ended(self, every: timedelta, now: datetime) -> None:
        """Each organization has had another cycle, and is to have the next one in this time.

        A watchdog that is too impatient for that gets an interval which is not.
        """
        first, self._ready = not self._ready, True
        lines = ["READY=1"] if first else []
        if self._patience is not None:
            needed = _CYCLES_OVERDUE * every
            lines += [f"WATCHDOG_USEC={_microseconds(max(needed, self._patience))}", "WATCHDOG=1"]
        self._tell(*lines, f"STATUS=watching; the last cycle ended at {now:%Y-%m-%d %H:%M} UTC")

    def reloading(self) -> None:
        """The configuration is being read again."""
        if self._ready:
            self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self, *, refused: bool) -> None:
        """The configuration was taken over, or refused, which leaves the one before in force."""
        how = (
            "the new configuration was refused, and the one before is in force: see the log" if refused else "watching"
        )
        self._tell(*(["READY=1"] if self._ready else []), f"STATUS={how}")

    def stopping(self) -> None:
        """The program ends."""
        self._tell("STOPPING=1", "STATUS=ending")

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as telling:
                telling.settimeout(1)
                telling.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            if not self._unheard:
                log.warning("the service manager does not listen", why=error.strerror or type(error).__name__)
            self._unheard = True


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
