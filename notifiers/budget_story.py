"""The story of a budget that passed one of its thresholds."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from notifiers.phrases import certainty, drivers, lines, remedies, title, tone_of, unpriced, whom_to_ask
from notifiers.story import Line, Section, Story, code, line, strong
from notifiers.subjects import capital, subject_line, title_subject
from notifiers.text import ago, clean, duration, percent, when
from rules.measures import SPEND, amount_words, of_limit
from rules.model import Alert, BudgetEvidence
from rules.thresholds import also_words, mark_words


def budget_story(alert: Alert, evidence: BudgetEvidence, now: datetime) -> Story:
    """What is spent of the limit, beside how much of the period has passed, and what is left."""
    return Story(
        tone=tone_of(alert),
        title=_title(alert, evidence),
        lead=lines(
            subject_line(alert),
            _so_far(evidence, now),
            _passed(alert, evidence, now),
            _estimated(evidence),
            unpriced(evidence.unpriced),
        ),
        sections=(
            *drivers(alert, evidence.top, evidence.spent, "What drives it", evidence.measure),
            Section("What happens next", (_left(evidence, now),)),
            Section("What you can do", _remedies(alert, evidence), listed=True),
        ),
        footer=(
            f"budget “{clean(alert.subject.rule)}”",
            *_certain(evidence, now),
            f"alert {clean(alert.id)}",
        ),
    )


def budget_over_story(alert: Alert, evidence: BudgetEvidence, now: datetime) -> Story:
    """Short: the crossing no longer stands, because its period ended or the figures were restated."""
    mark = mark_words(evidence)
    zone = _zone(evidence)
    why = "its period has ended" if now >= evidence.period_end and not evidence.rolling else f"no longer over {mark}"
    return Story(
        tone=tone_of(alert),
        title=title(f"Budget “{clean(alert.subject.rule, 48)}”{_of(alert)}: {why}"),
        lead=lines(
            subject_line(alert),
            line(
                strong(of_limit(evidence.measure, evidence.spent, evidence.limit)),
                f" ({percent(evidence.spent, evidence.limit)}) "
                f"from {when(evidence.period_start, now, zone)} to {when(evidence.period_end, now, zone)}.",
            ),
        ),
        footer=(*_certain(evidence, now), f"alert {clean(alert.id)}"),
    )


def _remedies(alert: Alert, evidence: BudgetEvidence) -> tuple[Line, ...]:
    if not evidence.measure.claude_code:
        return remedies(alert, evidence.period_start, "day")
    by = "model" if alert.subject.scope.user else "user"
    since = evidence.period_start.astimezone(UTC).date()
    return (
        whom_to_ask(alert),
        line("To see where it goes: ", code(f"watcher claude-code --by {by} --by day --from {since}")),
    )


def _certain(evidence: BudgetEvidence, now: datetime) -> tuple[str, ...]:
    """How old the figures are, and of spend what part is settled: tokens and estimates never are."""
    age, settled = certainty(evidence.data_as_of, evidence.settled, evidence.spent, now)
    return (age, settled) if evidence.measure == SPEND else (age,)


def _estimated(evidence: BudgetEvidence) -> Line:
    """Whose figure it is, where it is not what is billed."""
    kind = evidence.measure.claude_code
    if not kind:
        return ()
    counted = (
        "billed through the API, and part of the spend already" if kind == "api" else "not billed by tokens at all"
    )
    return line(
        "The amounts are Claude Code's own estimate, told by the day and late. "
        f"Counted are customers of the type “{clean(kind, 30)}”: their use is {counted}."
    )


def _title(alert: Alert, evidence: BudgetEvidence) -> str:
    return title(
        f"Budget “{clean(alert.subject.rule, 40)}” passed {mark_words(evidence)}{_of(alert)}: "
        f"{of_limit(evidence.measure, evidence.spent, evidence.limit)} for {_period(evidence)}"
    )


def _period(evidence: BudgetEvidence) -> str:
    return clean(evidence.period, 30)


def _of(alert: Alert) -> str:
    return f" for {title_subject(alert)}" if alert.subject.scope.parts() else ""


def _so_far(evidence: BudgetEvidence, now: datetime) -> Line:
    if evidence.rolling:
        spent = strong(of_limit(evidence.measure, evidence.spent, evidence.limit))
        return line(spent, f" ({percent(evidence.spent, evidence.limit)}) in {_period(evidence)}.")
    length = evidence.period_end - evidence.period_start
    part = max(min((evidence.data_as_of - evidence.period_start) / length, 1.0), 0.0)
    return line(
        strong(of_limit(evidence.measure, evidence.spent, evidence.limit)),
        f" ({percent(evidence.spent, evidence.limit)}) since {when(evidence.period_start, now, _zone(evidence))}. "
        f"{100 * part:.0f} % of the time has passed; an even pace would stand at "
        f"{amount_words(evidence.measure, round(evidence.limit * part))}.",
    )


def _passed(alert: Alert, evidence: BudgetEvidence, now: datetime) -> Line:
    also = also_words(evidence)
    with_it = f", {' and '.join(also)} with it" if also else ""
    return line(
        f"{mark_words(evidence)} was passed at {when(alert.starts_at, now)} ({ago(alert.starts_at, now)}){with_it}."
    )


def _left(evidence: BudgetEvidence, now: datetime) -> Line:
    if evidence.rolling:
        return line(
            f"What is older counts no more. {mark_words(evidence)} is told again once spend has been 10 % below it for "
            "the whole of such a time, or for a day, and reaches it anew."
        )
    end = when(evidence.period_end, now, _zone(evidence))
    if now >= evidence.period_end:
        return line(f"{capital(_period(evidence))} ended at {end}; since then the whole limit is free again.")
    until = f"{end}, in {duration(evidence.period_end - now)}"
    left = evidence.limit - evidence.spent
    if left > 0:
        return line(
            strong(amount_words(evidence.measure, left)), f" ({percent(left, evidence.limit)}) is left until {until}."
        )
    if left == 0:
        return line(strong("Nothing"), f" is left until {until}.")
    return line(
        "The limit is passed by ",
        strong(amount_words(evidence.measure, -left)),
        f" ({percent(-left, evidence.limit)}); a new period begins {until}.",
    )


def _zone(evidence: BudgetEvidence) -> tzinfo:
    """The budget's own zone; UTC where this machine no longer knows it."""
    try:
        return ZoneInfo(evidence.timezone)
    except (KeyError, ValueError, OSError):  # unknown, malformed, unreadable
        return UTC
