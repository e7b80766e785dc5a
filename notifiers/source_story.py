"""The story of a source of data that cannot be relied on."""

from __future__ import annotations

from datetime import datetime

from notifiers.phrases import lines, title, tone_of
from notifiers.story import Line, Section, Story, line
from notifiers.subjects import capital
from notifiers.text import ago, clean, duration, when
from rules.model import Alert, SourceEvidence

_LONGEST_SENTENCE = 600


def source_story(alert: Alert, evidence: SourceEvidence, now: datetime) -> Story:
    """What is wrong with the source, what that makes of the judgement, and the remedy."""
    return Story(
        tone=tone_of(alert),
        title=title(capital(clean(evidence.problem, 130))),
        lead=lines(
            line(f"Since {when(evidence.since, now)} ({ago(evidence.since, now)})."),
            _sentence(evidence.consequence),
        ),
        sections=(Section("What you can do", (_sentence(evidence.remedy),)),) if evidence.remedy else (),
        footer=_footer(alert, evidence, now),
    )


def source_over_story(alert: Alert, evidence: SourceEvidence, now: datetime) -> Story:
    """Short: it delivers again, and how long it did not."""
    end = alert.ends_at or now
    return Story(
        tone=tone_of(alert),
        title=title(f"Over: {clean(evidence.problem, 124)}"),
        lead=(line(f"From {when(evidence.since, now)} to {when(end, now)} ({duration(end - evidence.since)})."),),
        footer=_footer(alert, evidence, now),
    )


def _sentence(text: str) -> Line:
    """The text with a capital and a full stop; nothing of nothing."""
    told = capital(clean(text, _LONGEST_SENTENCE)) if text else ""
    return line(told if not told or told[-1] in ".!?…" else f"{told}.")


def _footer(alert: Alert, evidence: SourceEvidence, now: datetime) -> tuple[str, ...]:
    age = () if evidence.data_as_of is None else (f"data as of {when(evidence.data_as_of, now)}",)
    return (f"source {clean(evidence.source)}", *age, f"alert {clean(alert.id)}")
