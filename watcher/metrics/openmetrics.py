"""History as OpenMetrics text with its own times, for `promtool tsdb create-blocks-from openmetrics`.

Families follow each other, and in one the series; a series is in the order of time. The same history is the same text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rules.money import usd_string
from watcher.metrics.declared import HOURLY_SPEND, HOURLY_TOKENS, Metric

if TYPE_CHECKING:
    from watcher.ledger.history import History, Place, Points


def openmetrics(organizations: Sequence[tuple[str, History]]) -> Iterator[str]:
    """The lines of the histories of these organizations, by their ids."""
    for metric in (HOURLY_SPEND, HOURLY_TOKENS):
        yield f"# TYPE {metric.name} {metric.kind}\n"
        yield f"# UNIT {metric.name} {metric.unit}\n"
        yield f"# HELP {metric.name} {metric.help}\n"
        for organization, history in organizations:
            series = history.spend if metric is HOURLY_SPEND else history.tokens
            yield from _lines(metric, organization, series)
    yield "# EOF\n"


def _lines(metric: Metric, organization: str, series: Mapping[Place, Points]) -> Iterator[str]:
    write = usd_string if metric is HOURLY_SPEND else str
    for place, points in series.items():
        pairs = zip(metric.labels, (organization, *place), strict=True)
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in pairs)
        for end, figure in zip(points.ends, points.figures, strict=True):
            yield f"{metric.name}{{{labels}}} {write(figure)} {end}\n"


def _escaped(value: str) -> str:
    """A label's value as the format wants it; a lone surrogate, which UTF-8 cannot hold, is a question mark."""
    plain = value.encode("utf-8", "replace").decode()
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
