"""The program's figures for Prometheus: `declared` names them all, the rest of the package collects them."""

from watcher.metrics.board import Board, left_over
from watcher.metrics.registry import Metrics

__all__ = ["Board", "Metrics", "left_over"]
