"""`watcher spend`: where the money went."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    fail,
    load_settings,
    open_store,
    print_json,
)
from watcher.cli.organizations import Chosen, OnlyOrganization, alone, chosen
from watcher.cli.reconcile import reconcile
from watcher.cli.restated import restated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rules.model import Dimension
    from rules.selectors import Condition
    from watcher.ledger import SpendReport
    from watcher.ledger.reconciliation_report import Slices as ReconciledBy
    from watcher.store import Store

WRONG_USAGE = 2
ORGANIZATION = "organization"


class Slices(StrEnum):
    """Whether the window is one figure, or one a UTC day or hour."""

    TOTAL = "total"
    DAY = "day"
    HOUR = "hour"


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("spend")(spend)


def spend(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    config: ConfigFile = DEFAULT_CONFIG,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="WORDS",
            help="What to break down by: organization, workspace, api_key, model, model_family, service_tier, user, "
            "tag:KEY; several with commas, or repeated. \\[default: api_key]",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="WORD=PATTERN",
            help="Only what matches, as in workspace=prod* or tag=team=platform; may be repeated: of one word any, of "
            "several words all.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="A date or ISO time; UTC unless it says otherwise. \\[default: this month]"),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="The same; not in the window itself. \\[default: now]")
    ] = None,
    bucket: Annotated[Slices, typer.Option("--bucket", help="One figure, or one a UTC day or hour.")] = Slices.TOTAL,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, help="Only the N dearest rows (of each slice); the others become one row."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="JSON and CSV too: against the window before. The table always says it.")
    ] = False,
    reconciling: Annotated[
        bool,
        typer.Option("--reconcile", help="Tokens times price against the bill, by workspace and model, of whole days."),
    ] = False,
    restating: Annotated[
        bool, typer.Option("--restated", help="What the provider restated later: before, after, and when.")
    ] = False,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
) -> None:
    """Say where the money went, by key, workspace, model, family, tier, user or tag, over any window.

    The window holds the hours that begin in it, the open hour included.
    """
    from watcher.ledger import spend_report
    from watcher.ledger.top import top_rows
    from watcher.pricing import PriceBook

    if as_json and as_csv:
        fail("--json and --csv exclude each other.", WRONG_USAGE)
    if compare and bucket is not Slices.TOTAL:
        fail("--compare needs --bucket total: days and hours have no window before.", WRONG_USAGE)
    if reconciling and (by or where or top or compare or bucket is Slices.HOUR):
        fail("--reconcile goes with --from, --to, --bucket day, --json and --csv: bills come by day.", WRONG_USAGE)
    if restating and (by or where or top or compare or reconciling):
        fail("--restated goes with --from, --to, --bucket hour, --json and --csv only.", WRONG_USAGE)
    each_organization, broken_down, part = _question(by or ["api_key"], where or [])
    settings = load_settings(config)
    now = clock_for(settings).now()
    try:
        first, until = window(start, end, now)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)
    with open_store(settings) as store:
        organizations = chosen(settings, store, only)
        if restating:
            by_hour = bucket is Slices.HOUR
            restated(store, alone(organizations).id, (first, until), by_hour=by_hour, as_json=as_json, as_csv=as_csv)
            return
        prices = PriceBook(settings.prices)
        if reconciling:
            slices: ReconciledBy = "day" if bucket is Slices.DAY else "total"
            reconcile(
                store, prices, alone(organizations).id, (first, until), slices, now, as_json=as_json, as_csv=as_csv
            )
            return
        _check_tags(store, organizations, broken_down)
        reports = [
            spend_report(
                store,
                prices,
                organization.id,
                broken_down,
                first,
                until,
                bucket.value,
                now,
                where=part,
                compare=compare or not (as_json or as_csv),
            )
            for organization in organizations
        ]
    report = _of_all(organizations, reports, each_organization=each_organization)
    _print(report if top is None else top_rows(report, top), organizations, now, as_json=as_json, as_csv=as_csv)


def _question(by: Sequence[str], where: Sequence[str]) -> tuple[bool, tuple[Dimension, ...], tuple[Condition, ...]]:
    """Whether to tell organizations apart, what else to break down by, and what part of the spend is asked for.

    Ends the command where that cannot be meant.
    """
    from watcher.cli.spend_question import conditions, dimensions

    words = [word.strip() for each in by for word in each.split(",")]
    others = [word for word in words if word != ORGANIZATION]
    try:
        return len(others) < len(words), dimensions(others) if others else (), conditions(where)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)


def _check_tags(store: Store, organizations: Sequence[Chosen], by: tuple[Dimension, ...]) -> None:
    """End the command where it is broken down by a tag that no organization has."""
    from rules.model import TAG
    from watcher.cli.spend_question import tag_that_nobody_has

    if not any(dimension.startswith(TAG) for dimension in by):
        return
    strange = [tag_that_nobody_has(by, store.directory.names(organization.id)) for organization in organizations]
    if (sentence := strange[0]) is not None and None not in strange:
        fail(sentence, WRONG_USAGE)


def _of_all(organizations: Sequence[Chosen], reports: Sequence[SpendReport], *, each_organization: bool) -> SpendReport:
    """The report of the only organization as it is; of several every row says whose it is."""
    from watcher.ledger.merged import Part, merge

    if len(reports) == 1 and not each_organization:
        return reports[0]
    return merge([Part(each.id, each.shown, report) for each, report in zip(organizations, reports, strict=True)])


def _print(report: SpendReport, organizations: Sequence[Chosen], now: datetime, *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        from watcher.ledger.spend_json import spend_json

        print_json({**spend_json(report), "organizations": [each.as_json() for each in organizations]})
    elif as_csv:
        from watcher.ledger.spend_csv import spend_csv

        typer.echo(spend_csv(report), nl=False)
    else:
        from rich.console import Console

        from watcher.cli.spend_table import show

        show(report, Console(), now)


def window(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    """The window asked for: dates are their UTC midnight, and the default is this UTC month until now.

    ValueError, a sentence for the person who asked, for what is no date or time, and for an empty window.
    """
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = month if start is None else _moment("--from", start)
    until = now if end is None else _moment("--to", end)
    if first >= until:
        raise ValueError(
            f"--from must be before --to: {first:%Y-%m-%d %H:%M} is not before {until:%Y-%m-%d %H:%M} UTC."
        )
    return first, until


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f'{option} must be a date or an ISO time, such as "2026-11-01" or "2026-11-01T09:00Z", not {text!a}.'
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
