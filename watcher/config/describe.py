"""A configuration in plain sentences: what the program would watch, and what it would do."""

from __future__ import annotations

from datetime import timedelta

from rules.drift import DriftRule
from rules.measures import Measure, amount_words
from rules.model import HOUR, TAG, AnomalyRule, Budget, Dimension, Selector
from rules.money import NANO_PER_USD, display_usd
from rules.periods import MONTHS, period_between
from rules.prices import PriceRule
from rules.rolling import window_words
from rules.selectors import WORDS
from rules.thresholds import Mark, Threshold, mark_amount, percent_of, threshold_amount
from watcher.config.addresses import is_loopback_host
from watcher.config.durations import spell_duration
from watcher.config.owner_tables import describe_owner
from watcher.config.route_words import describe_routes, is_selective
from watcher.config.values import WEEKDAYS
from watcher.pricing import OwnPrice
from watcher.settings import HttpSettings, OrganizationSettings, ReceiverSettings, Settings, SlackBotSettings

_LEAST_DAYS_IN_A_MONTH = 28
_MOST_PLANNED = 12

_EACH: dict[Dimension, str] = {
    "workspace": "workspace",
    "api_key": "API key",
    "model": "model",
    "model_family": "model family",
    "service_tier": "service tier",
    "user": "user",
    "tag": "workspace's tag",
}
"""What each dimension and each word of a selector is called."""
_PRICED = ("uncached input", "cache reads", "5-minute cache writes", "1-hour cache writes", "output", "web searches")
"""The kinds of the price book, in its order."""
_CHANNEL = {
    "slack": "a Slack channel",
    "webhook": "a webhook",
    "alertmanager": "Alertmanager",
    "pagerduty": "PagerDuty",
    "email": "by e-mail",
    "apprise": "by apprise",
    "console": "standard output",
}


def describe(settings: Settings) -> list[str]:
    """Sentences for people, in the order of the file. None of them holds a secret."""
    poll, http = settings.poll, settings.http
    usage, cost = _every(poll.usage_every), _every(poll.cost_every)
    return [
        *(_reads(each, usage, cost) for each in settings.organizations),
        f"The first start reads the last {spell_duration(poll.backfill)}.",
        f"Keeps what it reads in {settings.store.shown} for {spell_duration(settings.store.keep)}.",
        _serves(http),
        *(_budget(budget, several=len(settings.organizations) > 1) for budget in settings.budgets),
        *(_anomaly(rule) for rule in settings.anomalies),
        *_events(settings),
        *_drift(settings.drift),
        *_price_changes(settings.price_changes),
        *(_price(price) for price in settings.prices),
        *(_receiver(receiver, settings) for receiver in settings.receivers),
        *describe_routes(settings.routes),
        *_digests(settings),
        *map(describe_owner, settings.owners),
        *_heartbeat(settings),
        *_shutoff(settings),
    ]


def _serves(http: HttpSettings) -> str:
    host = f"[{http.host}]" if ":" in http.host else http.host
    page = f"{'https' if http.tls else 'http'}://{host}:{http.port or '(any free port)'}"
    local = is_loopback_host(http.host)
    ways = _and([*(["the token"] if http.token else []), *(["the password"] if http.password else [])])
    whom = "this machine only" if local else "whoever reaches it"
    plain = "" if local or http.tls else "; what stands before it encrypts what is sent"
    return f"Serves the status page and the metrics on {page}, for {whom}{f' with {ways}' if ways else ''}{plain}."


def _shutoff(settings: Settings) -> list[str]:
    if settings.shutoff is None:
        return ["Only reads from the API: it cannot switch a key off."]
    from watcher.config.shutoff_words import describe_shutoff  # noqa: PLC0415 (few configurations need it)

    return describe_shutoff(settings.shutoff, settings)


def _heartbeat(settings: Settings) -> list[str]:
    if settings.heartbeat is None:
        return []
    whose = "a whole successful cycle of every organization" if len(settings.organizations) > 1 else ""
    return [f"Pings its heartbeat address after {whose or 'each whole successful cycle'}."]


def _reads(organization: OrganizationSettings, usage: str, cost: str) -> str:
    of = f" of the organization {_quoted(organization.label)}" if organization.label else ""
    proxy = " through a proxy" if organization.proxy else ""
    return f"Reads usage{of} from {organization.base_url}{proxy} every {usage}, and the cost report every {cost}."


def _budget(budget: Budget, *, several: bool) -> str:
    levels = [_mark(budget.measure, budget.limit, mark) for mark in budget.thresholds]
    tells = (
        "is paused and tells nothing"
        if budget.paused
        else f"tells {_how_often(budget)} at {_and(levels)}{_early(budget)}"
    )
    return (
        f"Budget {_quoted(budget.name)}: {_limit(budget)} {_stretch(budget)} for "
        f"{_whose(budget.per, budget.select, several=several)}; {tells}.{_planned(budget)}"
    )


def _limit(budget: Budget) -> str:
    if budget.console:
        return "the limit that the Console has"
    kind = budget.measure.claude_code
    of = f" of Claude Code's own estimate (customers of the type {_quoted(kind)})" if kind else ""
    return ("what is planned" if budget.limit is None else _amount(budget.measure, budget.limit)) + of


def _amount(measure: Measure, amount: int) -> str:
    return _usd(amount) if measure.is_money else amount_words(measure, amount)


def _planned(budget: Budget) -> str:
    """What the plan says, and what becomes of the periods that it does not name."""
    if not budget.plan:
        return ""
    told = [f"{_usd(amount)} in {key}" for key, amount in sorted(budget.plan.items())]
    shown = told if len(told) <= _MOST_PLANNED else [*told[:_MOST_PLANNED], f"{len(told) - _MOST_PLANNED} more"]
    rest = "" if budget.limit is not None else " Other periods have no limit, and nothing is judged of them."
    return f" Planned are {_and(shown)}.{rest}"


def _early(budget: Budget) -> str:
    """What it tells of before that: "; also when it is forecast to pass 100 % ($10,000)"."""
    told = []
    if budget.forecast:
        marks = [_mark(budget.measure, budget.limit, mark.mark) for mark in budget.forecast]
        told.append(f"is forecast to pass {_and(marks)}")
    if budget.burn:
        pairs = [f"{pair.factor:g} times over {pair.long // HOUR} h" for pair in budget.burn]
        told.append(f"burns at {_and(pairs)} what it can sustain")
    if budget.pace:
        told.append(f"is at {_and([f'{mark.percent:g} %' for mark in budget.pace])} of its pace")
    return f"; also when it {', or '.join(told)}" if told else ""


def _mark(measure: Measure, limit: int | None, mark: Mark) -> str:
    """ "80 % ($8,000, critical)": a severity is named where it is the mark's own."""
    amount, own = mark_amount(mark), mark.severity if isinstance(mark, Threshold) else None
    notes = [_amount(measure, threshold_amount(limit, mark))] if amount is None and limit is not None else []
    notes += [own.value] if own is not None else []
    text = f"{percent_of(limit or 0, mark):.15g} %" if amount is None else _amount(Measure(measure.unit), amount)
    return f"{text} ({', '.join(notes)})" if notes else text


def _stretch(budget: Budget) -> str:
    """ "a month from the 15th (UTC)"."""
    zone = budget.timezone
    if budget.window is not None:
        return f"in any {window_words(budget.window)}"
    if budget.dates is not None:
        return f"in all within {period_between(*budget.dates, zone).label} ({zone})"
    begins = ""
    if budget.period == "week" and budget.starts.weekday:
        begins = f" from {WEEKDAYS[budget.starts.weekday].capitalize()}"
    if budget.starts.day > 1:
        last = " or its last day" if budget.starts.day > _LEAST_DAYS_IN_A_MONTH else ""
        begins = f" from day {budget.starts.day}{last}"
    if budget.starts.month > 1:
        begins = f"{begins} of" if begins else " from"
        begins += f" {MONTHS[budget.starts.month - 1]}"
    return f"{_a(budget.period)}{begins} ({zone})"


def _how_often(budget: Budget) -> str:
    if budget.window is not None:
        return "whenever it is reached anew"
    return "once" if budget.dates is not None else f"once {_a(budget.period)}"


def _a(word: str) -> str:
    return f"{'an' if word == 'hour' else 'a'} {word}"


def _anomaly(rule: AnomalyRule) -> str:
    each = [_each(dimension) for dimension in rule.per]
    article = "an" if each[0] == _EACH["api_key"] else "a"
    subject = f"{article} {each[0]}" if len(each) == 1 else f"a combination of {_and(each)}"
    held = f" for {spell_duration(rule.hold_for)}" if rule.hold_for else ""
    over = f"over for {spell_duration(rule.keep_firing_for)}" if rule.keep_firing_for else "over"
    more = f"spends at least {_usd(rule.min_excess)} an hour more than is normal for it"
    if rule.unit_price:
        more += " or pays that much more for its tokens"
    silent = f"sends nothing where it always does, and misses {_usd(rule.min_excess)}"
    what = {"up": more, "down": silent, "both": f"{more}, or {silent}"}[rule.direction]
    return (
        f"Anomaly {_quoted(rule.name)}: tells ({rule.severity.value}) when {subject}{_where(rule.select)} {what}{held}"
        f"; resolved once that is {over}.{_sensitive(rule)}"
    )


def _events(settings: Settings) -> list[str]:
    if not settings.events:
        return []
    from watcher.config.event_words import event_sentence  # noqa: PLC0415 (only a few configurations need it)

    return [event_sentence(event, _selected(event.select)) for event in settings.events]


def _digests(settings: Settings) -> list[str]:
    if not settings.digests:
        return []
    from watcher.config.digest_tables import digest_sentence  # noqa: PLC0415 (few configurations need it)

    return [digest_sentence(rule, _where(rule.select)) for rule in settings.digests]


def _selected(select: Selector) -> str:
    where = _where(select)
    return f"everything{where}" if where else "everything"


def _sensitive(rule: AnomalyRule) -> str:
    """Where its threshold lies, if not where it does by default."""
    if rule.direction == "down":
        return ""
    if rule.tuning.threshold is not None:
        return f" Its threshold is {rule.tuning.threshold:g} times the usual one."
    if rule.false_alarms is not None:
        return f" Its threshold is set so that clean data bring at most {rule.false_alarms:.3g} alarms a year."
    return "" if rule.sensitivity == "medium" else f" Its sensitivity is {rule.sensitivity}."


def _drift(rule: DriftRule) -> list[str]:
    if not rule.enabled:
        return []
    days = "a settled day" if rule.days == 1 else f"{rule.days} settled days in a row"
    off = f"over {rule.percent:.10g} % and {_usd(rule.amount)} off the estimate"
    return [f"Tells ({rule.severity.value}) when the bill of {days} is {off}, in all or for a model."]


def _price_changes(rule: PriceRule) -> list[str]:
    told = ["a model is in use for the first time"] if rule.new_models else []
    told += [f"a learned discount moves by over {rule.percent:.10g} %"] if rule.discounts else []
    return [f"Tells once when {' or '.join(told)}."] if rule.enabled and told else []


def _price(price: OwnPrice) -> str:
    kinds = [kind for kind, pico in zip(_PRICED, price.pico, strict=True) if pico is not None]
    since = "" if price.since is None else f" from {price.since}"
    until = "" if price.until is None else f" until before {price.until}"
    return f"Models like {_quoted(price.model)} cost what the configuration says for {_and(kinds)}{since}{until}."


def _receiver(receiver: ReceiverSettings, settings: Settings) -> str:
    routed = any(receiver.name in route.receivers for route in settings.routes)
    everything = "hears of what routes send it" if is_selective(settings.routes) else "hears of every alert"
    digested = any(receiver.name in rule.receivers for rule in settings.digests)
    nothing = "hears of no alert, as no route names it" if digested else "hears of nothing, as no route names it"
    hears = everything if routed else nothing
    return f"Receiver {_quoted(receiver.name)} ({_channel(receiver)}) {hears}."


def _channel(receiver: ReceiverSettings) -> str:
    if isinstance(receiver, SlackBotSettings):
        return f"a bot in a Slack channel{', with buttons' if receiver.app_token else ''}"
    return _CHANNEL[receiver.type]


def _whose(per: tuple[Dimension, ...], select: Selector, *, several: bool) -> str:
    if per:
        return f"each {' and '.join(map(_each, per))}{_where(select)}"
    where = _where(select)
    if several:
        return f"each organization by itself{where}"
    return f"everything{where}, together" if where else "the whole organization"


def _each(dimension: Dimension) -> str:
    key = dimension.removeprefix(TAG)
    return _EACH[dimension] if key == dimension else f"value of the tag {_quoted(key)}"


def _where(select: Selector) -> str:
    words = {"organization": "organization", **{word: _EACH[word] for word in WORDS}}
    pairs = ((what, getattr(select, word)) for word, what in words.items())
    patterns = [f"the {what} matches {_quoted(pattern)}" for what, pattern in pairs if pattern is not None]
    return f" where {_and(patterns)}" if patterns else ""


def _every(duration: timedelta) -> str:
    """ "5 minutes", "hour"."""
    words = spell_duration(duration).split()
    return words[1] if len(words) == 2 and words[0] == "1" else " ".join(words)


def _usd(nano: int) -> str:
    """Whole dollars without cents, as people write a limit."""
    return f"${nano // NANO_PER_USD:,}" if nano % NANO_PER_USD == 0 else display_usd(nano)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _and(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
