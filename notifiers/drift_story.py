"""The story of bills that are not what tokens times price says, and of their agreeing again."""

from __future__ import annotations

from datetime import datetime

from notifiers.phrases import lines, title, tone_of
from notifiers.story import Line, Section, Story, Words, code, line, strong
from notifiers.subjects import capital
from notifiers.text import clean, number, percent, plural, when
from rules.evidence import DriftPart
from rules.model import DEFAULT_WORKSPACE, Alert, DriftEvidence
from rules.money import display_usd
from rules.summary import day_span, signed_percent

_SHOWN = 6


def drift_story(alert: Alert, evidence: DriftEvidence, now: datetime) -> Story:
    """What was billed beside what was estimated, on which models, and what that makes of today's figures."""
    return Story(
        tone=tone_of(alert),
        title=title(_title(evidence)),
        lead=lines(_figures(evidence), _meaning(evidence)),
        sections=(
            Section("What drifts", tuple(_part(part) for part in evidence.parts[:_SHOWN]), listed=True),
            Section("What you can do", lines(*_remedies(evidence)), listed=True),
        ),
        footer=_footer(alert, evidence, now),
    )


def drift_over_story(alert: Alert, evidence: DriftEvidence, now: datetime) -> Story:
    """Short: settled days agree again, and what the difference came to."""
    return Story(
        tone=tone_of(alert),
        title=title("Bill and estimate agree again"),
        lead=lines(
            _figures(evidence),
            line(
                "Either the price went back, or the price book has learned the new one: ", code("watcher prices"), "."
            ),
        ),
        footer=_footer(alert, evidence, now),
    )


def _title(evidence: DriftEvidence) -> str:
    main = evidence.main
    subject = "the organization" if main is None else f"model {clean(main.model, 40)}"
    told = main or evidence
    drift = told.billed - told.estimated
    more = "more" if drift > 0 else "less"
    share = percent(abs(drift), told.estimated)
    return f"{capital(subject)} was billed {share} {more} than estimated on {plural(evidence.days, 'settled day')}"


def _figures(evidence: DriftEvidence) -> Line:
    told = evidence.main or evidence
    return line(
        capital(day_span(evidence.first_day, evidence.last_day)),
        ": ",
        strong(display_usd(told.billed)),
        f" billed where tokens times price says {display_usd(told.estimated)}: ",
        strong(_signed(told.billed - told.estimated)),
        ".",
    )


def _meaning(evidence: DriftEvidence) -> Line:
    low = evidence.billed > evidence.estimated
    return line(
        "Days that are not settled yet are estimated with the same prices, so what budgets and anomalies see of them "
        f"is likely too {'low' if low else 'high'} by as much, until the price book has followed."
    )


def _part(part: DriftPart) -> Line:
    words: list[str | Words] = ["on ", code(clean(part.model)), " in "]
    if part.workspace == DEFAULT_WORKSPACE:
        words.append("the default workspace")
    else:
        words += ["workspace ", strong(clean(part.workspace_name or part.workspace or ""))]
    share = signed_percent(part.drift, part.estimated)
    words.append(f": {display_usd(part.billed)} billed, {display_usd(part.estimated)} estimated, ")
    return line(*words, strong(share))


def _remedies(evidence: DriftEvidence) -> tuple[Line, ...]:
    owned = sorted({part.model for part in evidence.parts if part.owned})
    if owned:
        named = ", ".join(clean(model, 40) for model in owned[:3])
        first = line(
            "Your own prices are behind the estimate of ", code(named), ": correct its ", code("[[price]]"), "."
        )
    else:
        first = line(
            "If a price or your discount changed, nothing: the book follows within eleven settled days. To be right at "
            "once, write a ",
            code("[[price]]"),
            ".",
        )
    shown = code(f"watcher spend --reconcile --bucket day --from {evidence.first_day}")
    return first, line("To see it day by day: ", shown)


def _footer(alert: Alert, evidence: DriftEvidence, now: datetime) -> tuple[str, ...]:
    days = plural(evidence.least_days, "settled day")
    return (
        f"over {number(evidence.percent)} % and {display_usd(evidence.amount)} a day on {days}",
        f"settled until {when(evidence.data_as_of, now)}",
        f"alert {clean(alert.id)}",
    )


def _signed(amount: int) -> str:
    return f"+{display_usd(amount)}" if amount > 0 else display_usd(amount)
