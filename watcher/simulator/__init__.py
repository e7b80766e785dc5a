"""An Admin API to run against, with a living organization behind it: no account, no key, the same for every seed."""

from watcher.simulator.price_changes import PriceChange
from watcher.simulator.server import Simulator, serve
from watcher.simulator.world import ANYTHING, World

__all__ = ["ANYTHING", "PriceChange", "Simulator", "World", "serve"]
