"""The stories of tokens that have become dearer, of silence, and of the ends of both."""

from __future__ import annotations

from datetime import datetime

from notifiers.hour_phrases import dearer, history_words, odds_words, picture
from notifiers.phrases import certainty, drivers, lines, remedies, title, tone_of, unpriced
from notifiers.story import Section, Story, Tone, line, strong
from notifiers.subjects import capital, subject_line, title_subject
from notifiers.text import ago, clean, duration, plural, short_count, when
from rules.model import HOUR, Alert, SilenceEvidence, UnitPriceEvidence
from rules.money import display_usd
from rules.summary import times

_CAUSES = line(
    "Usual causes: a cache that no longer hits, longer prompts or shorter answers, a dearer model or service tier."
)
_LOOK = line(
    "Look whether what uses it still runs, and whether its key still works. Nothing was switched off from here."
)


def unit_price_story(alert: Alert, evidence: UnitPriceEvidence, now: datetime) -> Story:
    """How much dearer a token is, since when, and what that costs."""
    shift, more = evidence.shift, display_usd(evidence.excess)
    so_far = line(
        f"That has cost {more} more so far: ",
        strong(display_usd(evidence.observed)),
        f" for {short_count(evidence.tokens)} output tokens, where {display_usd(evidence.expected)} is normal. Now ",
        strong(f"{display_usd(evidence.per_hour)} an hour"),
        " more.",
    )
    next_day = line("At this pace another ", strong(display_usd(24 * evidence.per_hour)), " more in the next 24 hours.")
    return Story(
        tone=tone_of(alert),
        title=title(f"{capital(title_subject(alert))}: each output token costs {times(shift)} as much as usual"),
        lead=lines(subject_line(alert), dearer(shift, now), so_far, unpriced(evidence.unpriced)),
        picture=picture(evidence.points, now, "spent", "usual"),
        sections=(
            *drivers(alert, evidence.top, evidence.excess, f"What drives the {more} more"),
            Section("What happens next", (next_day,)),
            Section("What you can do", (_CAUSES, *remedies(alert, shift.since, "hour")), listed=True),
        ),
        footer=(
            f"rule “{clean(alert.subject.rule)}”, prices from {history_words(evidence.history_hours)}",
            *odds_words(evidence.odds),
            *certainty(evidence.data_as_of, evidence.settled, evidence.observed, now),
            f"alert {clean(alert.id)}",
        ),
    )


def unit_price_over_story(alert: Alert, evidence: UnitPriceEvidence, now: datetime) -> Story:
    """Short: how long it lasted, and what it cost; and that it stays, where it does."""
    end, shift, subject = alert.ends_at or now, evidence.shift, capital(title_subject(alert))
    cost = line(
        f"From {when(shift.since, now)} to {when(end, now)} ({duration(end - shift.since)}) its output tokens cost ",
        strong(display_usd(evidence.observed)),
        f", where {display_usd(evidence.expected)} is normal: ",
        strong(f"{display_usd(max(evidence.excess, 0))} more"),
        ".",
    )
    after = display_usd(evidence.after or 0)
    still = f"{subject} still pays {after} for a million output tokens, and that counts as its normal now"
    usual = f"{subject} pays its usual price for output tokens again"
    back = f"{subject} has used no output tokens for a day" if evidence.after is None else usual
    return Story(
        tone=Tone.WARNING if evidence.stays else tone_of(alert),
        title=title(still if evidence.stays else back),
        lead=lines(subject_line(alert), cost),
        footer=(
            f"rule “{clean(alert.subject.rule)}”",
            *certainty(evidence.data_as_of, evidence.settled, evidence.observed, now),
            f"alert {clean(alert.id)}",
        ),
    )


def silence_story(alert: Alert, evidence: SilenceEvidence, now: datetime) -> Story:
    """Since when nothing has come, and what usually does."""
    quiet = line(
        "Nothing has come since ",
        strong(when(evidence.since, now)),
        f" ({ago(evidence.since, now)}), where about {display_usd(evidence.missing)} is normal. Its longest silence of "
        f"the four weeks before was {_hours(evidence.longest)}.",
    )
    usual = line("It usually spends ", strong(f"{display_usd(evidence.normal_per_hour)} an hour"), ".")
    return Story(
        tone=tone_of(alert),
        title=title(f"{capital(title_subject(alert))} has sent nothing for {evidence.hours} h"),
        lead=lines(subject_line(alert), quiet, usual),
        picture=picture(evidence.points, now),
        sections=(
            Section("What happens next", (line("It is told once more when spend comes back, or after four days."),)),
            Section("What you can do", (_LOOK,), listed=True),
        ),
        footer=(
            f"rule “{clean(alert.subject.rule)}”, baseline from {history_words(evidence.history_hours)}",
            f"data as of {when(evidence.data_as_of, now)} ({ago(evidence.data_as_of, now)})",
            f"alert {clean(alert.id)}",
        ),
    )


def silence_over_story(alert: Alert, evidence: SilenceEvidence, now: datetime) -> Story:
    """That spend came back, or that the silence is the normal now."""
    subject, back = capital(title_subject(alert)), bool(evidence.after_per_hour)
    until = evidence.since + evidence.hours * HOUR
    told = line(
        f"It had sent nothing from {when(evidence.since, now)} to {when(until, now)}, {_hours(evidence.hours)}."
    )
    stays = line("Nothing came for four days, which counts as normal from now on.")
    return Story(
        tone=tone_of(alert) if back else Tone.WARNING,
        title=title(
            f"{subject} spends again" if back else f"{subject} is silent still, and that counts as its normal now"
        ),
        lead=lines(subject_line(alert), told if back else stays),
        footer=(
            f"rule “{clean(alert.subject.rule)}”",
            f"data as of {when(evidence.data_as_of, now)} ({ago(evidence.data_as_of, now)})",
            f"alert {clean(alert.id)}",
        ),
    )


def _hours(count: int) -> str:
    return plural(count, "hour")
