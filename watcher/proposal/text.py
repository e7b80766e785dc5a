"""A proposal as a configuration file: TOML with comments. What names hold can be neither markup nor a setting."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from notifiers.text import clean
from rules.model import DEFAULT_WORKSPACE
from rules.money import display_usd, usd_string
from watcher.ingest import UNNAMED
from watcher.proposal.proposing import Proposal, Proposed

_WIDTH = 100
_LONGEST_NAME = 80
_LONGEST_COMMENT = 1000
_DEFAULT_URL = "https://api.anthropic.com"
_GLOB = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})

_RECEIVERS = """\
# Who is told: nobody yet. Take the # away, and set the variable to the URL of a Slack incoming webhook.
#[[receiver]]
#name = "ops"
#type = "slack"
#url = "${SLACK_WEBHOOK_URL}"

#[[route]]
#receiver = "ops"
"""


@dataclass(frozen=True, slots=True)
class Access:
    """How the file says that the API is reached: by the key in a variable, or in a file of this path."""

    base_url: str
    key_file: str | None = None


def written(proposal: Proposal, access: Access, backfill_days: int) -> str:
    """The text of the configuration file."""
    return "\n".join(_lines(proposal, access, backfill_days)) + "\n" + _RECEIVERS


def _lines(proposal: Proposal, access: Access, backfill_days: int) -> Iterator[str]:
    history = proposal.history
    name = "this organization" if history.organization_name == UNNAMED else f'"{clean(history.organization_name)}"'
    yield from _comment(
        f"Written by `watcher init` on {history.now:%Y-%m-%d} from {history.days:.0f} days of history of {name}.",
        "Every number is a proposal, and says how it came about: change what you know better.",
        "What it would do: watcher check. All settings: docs/configuration.md and config.example.toml.",
    )
    for note in proposal.notes:
        yield "#"
        yield from _comment(note)
    yield ""
    yield "[anthropic]"
    if access.key_file is None:
        yield 'admin_key = "${ANTHROPIC_ADMIN_KEY}"'
    else:
        yield f"admin_key_file = {_text(access.key_file)}"
    if access.base_url != _DEFAULT_URL:
        yield f"base_url = {_text(access.base_url)}"
    yield from ("", "[store]", 'url = "sqlite:///watcher.db"', "", "[poll]", f'backfill = "{backfill_days}d"', "")
    names: set[str] = set()
    for budget in proposal.budgets:
        yield from _budget(budget, _unique(budget, names), history.timezone)
    yield from _comment("Spend of a key that its past does not explain, and that matters.", *proposal.min_excess_how)
    yield from ("[[anomaly]]", 'name = "key spend"', 'per = ["api_key"]')
    yield f"min_excess_usd = {usd_string(proposal.min_excess)}"
    yield ""


def _budget(budget: Proposed, name: str, timezone: str) -> Iterator[str]:
    about = [f'For "{clean(budget.called)}".'] if budget.called else []
    yield from _comment(*about, *budget.how)
    yield "[[budget]]"
    yield f"name = {_text(name)}"
    yield f'period = "{budget.period}"'
    if timezone != "UTC":
        yield f"timezone = {_text(timezone)}"
    yield f"limit_usd = {usd_string(budget.limit)}"
    yield f"thresholds = {budget.thresholds}"
    if budget.foreseen:
        yield "forecast = [100]"
    if budget.per is not None:
        yield f"per = {budget.per}"
    if budget.workspace is not None:
        yield f"select = {{ workspace = {_text(_pattern(budget.workspace))} }}"
    if budget.api_key is not None:
        yield f"select = {{ api_key = {_text(_pattern(budget.api_key))} }}"
    yield ""


def _pattern(ident: str) -> str:
    """A pattern for this id alone."""
    return "default" if ident == DEFAULT_WORKSPACE else ident.translate(_GLOB)


def _unique(budget: Proposed, names: set[str]) -> str:
    """The budget's name, on one line and unlike all before it."""
    name = clean(budget.name, _LONGEST_NAME)
    number = 2
    while name in names:
        name = f"{clean(budget.name, _LONGEST_NAME)} ({number})"
        number += 1
    names.add(name)
    return name


def _comment(*sentences: str) -> Iterator[str]:
    for sentence in sentences:
        plain = clean(sentence, _LONGEST_COMMENT)
        yield from textwrap.wrap(plain, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _text(value: str) -> str:
    """A TOML string. A dollar sign is doubled, as variables are looked up in it."""
    escaped = (_escaped(char) for char in value.replace("$", "$$"))
    return f'"{"".join(escaped)}"'


def _escaped(char: str) -> str:
    if char in {'"', "\\"}:
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08X}"


def summary(budgets: Iterable[Proposed]) -> Iterator[tuple[str, str]]:
    """Each budget's name and what it comes to, for people: "organization", "$4,400 a month"."""
    for budget in budgets:
        yield clean(budget.name, _LONGEST_NAME), f"{display_usd(budget.limit).removesuffix('.00')} a {budget.period}"
