"""The story of a source of data that cannot be relied on."""

from __future__ import annotations

from datetime import datetime

from notifiers.phrases import lines, title, tone_of
from notifiers.story import Section, Story, line
from notifiers.text import ago, clean, duration, when
from rules.model import Alert, SourceEvidence

_LONGEST_SENTENCE = 600


def source_story(alert: Alert, evidence: SourceEvidence, now: datetime) -> Story:
    """What is wrong with the source, what that makes of the judgement, and the remedy."""
    return Story(
        tone=tone_of(alert),
        title=title(f"Source {clean(evidence.source)}: {clean(evidence.problem, 120)}"),
        lead=lines(
            line(f"Since {when(evidence.since, now)} ({ago(evidence.since, now)})."),
            line(clean(evidence.consequence, _LONGEST_SENTENCE)) if evidence.consequence else (),
        ),
        sections=(Section("What you can do", (line(clean(evidence.remedy, _LONGEST_SENTENCE)),)),)
        if evidence.remedy
        else (),
        footer=_footer(alert, evidence, now),
    )


def source_over_story(alert: Alert, evidence: SourceEvidence, now: datetime) -> Story:
    """Short: it delivers again, and how long it did not."""
    end = alert.ends_at or now
    return Story(
        tone=tone_of(alert),
        title=title(f"Source {clean(evidence.source)} can be relied on again"),
        lead=(
            line(
                f"From {when(evidence.since, now)} to {when(end, now)} ({duration(end - evidence.since)}): "
                f"{clean(evidence.problem, _LONGEST_SENTENCE)}"
            ),
        ),
        footer=_footer(alert, evidence, now),
    )


def _footer(alert: Alert, evidence: SourceEvidence, now: datetime) -> tuple[str, ...]:
    age = () if evidence.data_as_of is None else (f"data as of {when(evidence.data_as_of, now)}",)
    return (*age, f"alert {clean(alert.id)}")
