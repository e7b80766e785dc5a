"""The story of spend that is not normal, and of its end."""

from __future__ import annotations

from datetime import datetime

from notifiers.hour_phrases import dearer, history_words, odds_words, picture
from notifiers.phrases import certainty, drivers, feedback_asked, lines, remedies, title, tone_of, unpriced
from notifiers.story import Line, Section, Story, Tone, line, strong
from notifiers.subjects import capital, parts_of, subject_line, title_subject
from notifiers.text import ago, clean, duration, when
from rules.cause_words import why
from rules.model import Alert, AnomalyEvidence
from rules.money import NANO_PER_CENT, display_usd
from rules.quieted import Judged

_LONGEST_COMMENT = 500
_STAYS = line("It did not go back: it went on until it counted as normal. From now on only more than that is told.")
_ALLOWED = line("It did not go back: a planned event, feedback or a change of the configuration allows as much.")


def anomaly_story(alert: Alert, evidence: AnomalyEvidence, now: datetime) -> Story:
    """What is spent, since when, beside what the baseline held for normal."""
    excess = evidence.observed - evidence.expected
    per_hour, normal = display_usd(evidence.per_hour), display_usd(evidence.normal_per_hour)
    return Story(
        tone=tone_of(alert),
        title=title(f"{capital(title_subject(alert))} spends {per_hour}/h{_model(alert)}, normally {normal}/h"),
        lead=lines(
            subject_line(alert),
            _so_far(evidence, now),
            _per_hour(evidence),
            _why(evidence),
            dearer(evidence.price, now) if evidence.price is not None else (),
            unpriced(evidence.unpriced),
        ),
        picture=picture(evidence.points, now),
        sections=(
            *drivers(alert, evidence.top, excess, f"What drives the {display_usd(excess)} too much"),
            Section("What happens next", (_next_day(evidence),)),
            Section("What you can do", (*remedies(alert, evidence.since, "hour"), *_ask(alert)), listed=True),
        ),
        footer=(
            f"rule “{clean(alert.subject.rule)}”, baseline from {history_words(evidence.history_hours)}",
            *odds_words(evidence.odds),
            *certainty(evidence.data_as_of, evidence.settled, evidence.observed, now),
            f"alert {clean(alert.id)}",
        ),
    )


def anomaly_over_story(alert: Alert, evidence: AnomalyEvidence, now: datetime) -> Story:
    """Short: how long it lasted, and what it cost beyond the normal; and that it goes on, where it does."""
    end = alert.ends_at or now
    excess = evidence.observed - evidence.expected
    spent = line(
        f"From {when(evidence.since, now)} to {when(end, now)} ({duration(end - evidence.since)}) it spent ",
        strong(display_usd(evidence.observed)),
        f", where {display_usd(evidence.expected)} is normal",
        *((": ", strong(f"{display_usd(excess)} too much")) if excess > 0 else ()),
        ".",
    )
    subject = capital(title_subject(alert))
    if (judged := alert.judged) is not None and judged.verdict == "expected":
        return _expected_story(alert, evidence, judged, spent, now)
    so = "that counts as its normal now" if evidence.learnt else "that is allowed now"
    still = f"{subject} still spends {display_usd(evidence.after_per_hour or 0)}/h, and {so}"
    stays = (_STAYS if evidence.learnt else _ALLOWED) if evidence.stays else ()
    return Story(
        tone=Tone.WARNING if evidence.stays else tone_of(alert),
        title=title(still if evidence.stays else f"{subject} is back to normal"),
        lead=lines(subject_line(alert), spent, stays),
        footer=(
            f"rule “{clean(alert.subject.rule)}”",
            *certainty(evidence.data_as_of, evidence.settled, evidence.observed, now),
            f"alert {clean(alert.id)}",
        ),
    )


def _expected_story(alert: Alert, evidence: AnomalyEvidence, judged: Judged, spent: Line, now: datetime) -> Story:
    """That somebody has said that it was meant, and what follows."""
    why = f": {clean(judged.comment, _LONGEST_COMMENT)}" if judged.comment else "."
    follows = line("As much may come again at these hours for eight weeks, and is learnt; more than that is told.")
    return Story(
        tone=tone_of(alert),
        title=title(f"{capital(title_subject(alert))}: expected, says {clean(judged.by)}"),
        lead=lines(subject_line(alert), line(f"Expected, says {clean(judged.by)}{why}"), spent, follows),
        footer=(
            f"rule “{clean(alert.subject.rule)}”",
            *certainty(evidence.data_as_of, evidence.settled, evidence.observed, now),
            f"alert {clean(alert.id)}",
        ),
    )


def _ask(alert: Alert) -> tuple[Line, ...]:
    """How to say whether it was meant, where nobody has yet."""
    return lines(feedback_asked(alert)) if alert.judged is None else ()


def _model(alert: Alert) -> str:
    """The one model behind the figure, for titles that do not name it yet."""
    model = parts_of(alert).get("model")
    return f" on {clean(model, 32)}" if model and alert.subject.scope.model is None else ""


def _so_far(evidence: AnomalyEvidence, now: datetime) -> Line:
    return line(
        strong(display_usd(evidence.observed)),
        f" since {when(evidence.since, now)} ({ago(evidence.since, now)}), where {display_usd(evidence.expected)} is "
        f"normal{_times(evidence.observed, evidence.expected)}.",
    )


def _times(observed: int, expected: int) -> str:
    """How many times as much, where that is a fair thing to say: nearly nothing makes any multiple absurd."""
    if expected < NANO_PER_CENT or 2 * observed < 3 * expected:
        return ""
    ratio = observed / expected
    return f": {ratio:,.0f} times as much" if ratio >= 10 else f": {ratio:.1f} times as much"


def _per_hour(evidence: AnomalyEvidence) -> Line:
    return line(
        "Now ",
        strong(f"{display_usd(evidence.per_hour)} an hour"),
        f"; {display_usd(evidence.normal_per_hour)} is normal, and up to {display_usd(evidence.upper_per_hour)} would "
        "pass unremarked.",
    )


def _why(evidence: AnomalyEvidence) -> Line:
    words = why(evidence.cause)
    return line(strong("Why:"), f" {words}.") if words else ()


def _next_day(evidence: AnomalyEvidence) -> Line:
    return line(
        "At this pace another ",
        strong(display_usd(24 * evidence.per_hour)),
        f" in the next 24 hours, where {display_usd(24 * evidence.normal_per_hour)} is normal.",
    )
