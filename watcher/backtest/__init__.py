"""History replayed through the rules: what would have been told, when, and what that would have saved."""

from watcher.backtest.frames import Frame, Settling, hourly
from watcher.backtest.replay import Place, Replay, replay
from watcher.backtest.told import Message, Told

__all__ = ["Frame", "Message", "Place", "Replay", "Settling", "Told", "hourly", "replay"]
