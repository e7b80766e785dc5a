"""How often Python looks for garbage that only its collector finds."""

from __future__ import annotations

import atexit
import gc

_AFTER = 50_000
"""More new objects than a command makes while it starts, and a page of a report some times over."""


def collect_rarely() -> None:
    """Look for cycles once in 50,000 new objects and not, as Python does by itself, in 700.

    A report's page is hundreds of thousands of objects without a cycle, and every look passes over them again: without
    that, reading one takes a third less. What cycles there are wait a little longer, in some tens of megabytes at most.
    """
    gc.set_threshold(_AFTER, 10, 10)
    # At the end Python would pass over every object once more, which is a tenth of what a short command takes, only to
    # give back memory that the system takes back anyway.
    atexit.register(gc.freeze)
