"""Sharing an amount so that the shares are whole nano-dollars and add up to it exactly."""

from __future__ import annotations

import numpy as np

from watcher.ledger.reading import IntArray


def cascade(amounts: IntArray, weights: IntArray, starts: IntArray) -> IntArray:
    """Share each group's amount by weight over its members; the shares of a group sum exactly to its amount.

    `weights` holds the members of all groups, group after group; `starts[g]` is where group g begins, every group
    has a member and a positive total weight or the amount 0. Cascade rounding: the running share is rounded, and each
    member gets its step, so a member is never more than a nano-dollar from its fair share. The fraction is a float;
    the last of a group is set to the amount itself, which makes the sum exact whatever was rounded before.
    """
    sizes = np.diff(np.append(starts, len(weights)))
    group = np.repeat(np.arange(len(starts)), sizes)
    running_weight = np.cumsum(weights)
    before = running_weight[starts] - weights[starts]
    within = running_weight - before[group]
    total = within[starts + sizes - 1]
    amount = amounts[group]
    fraction = within / np.maximum(total, 1)[group]
    running = np.where(within == total[group], amount, np.rint(amount * fraction).astype(np.int64))
    shares = np.diff(running, prepend=0)
    shares[starts] = running[starts]
    return shares


def evenly(amount: int, parts: int) -> list[int]:
    """An amount in so many parts that differ by at most one and sum to it."""
    return [amount * (i + 1) // parts - amount * i // parts for i in range(parts)]
