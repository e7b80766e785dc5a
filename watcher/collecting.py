"""How often Python looks for garbage that only its collector finds."""

from __future__ import annotations

import atexit
import gc

_WHILE_STARTING = 500_000
"""More new objects than a command makes while it starts, of which nearly all stay."""
_AFTERWARDS = 50_000
"""A page of a report some times over."""


def collect_rarely() -> None:
    """Look for cycles once in 500,000 new objects and not, as Python does by itself, in 700.

    A start or a report's page is hundreds of thousands of objects without a cycle, and every look passes over them
    again: without that, reading a page takes a third less. What cycles there are wait longer, in some tens of megabytes
    at most.
    """
    gc.set_threshold(_WHILE_STARTING, 10, 10)
    # At the end Python would pass over every object once more, which is a tenth of what a short command takes, only to
    # give back memory that the system takes back anyway.
    atexit.register(gc.freeze)


def collect_while_running() -> None:
    """From now on look once in 50,000 new objects: what runs for weeks has a start that does not count."""
    gc.set_threshold(_AFTERWARDS, 10, 10)
