"""`watcher spend --reconcile`: what was estimated, beside what was billed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from watcher.cli.context import print_json

if TYPE_CHECKING:
    from watcher.ledger.reading import LedgerStore
    from watcher.ledger.reconciliation_report import Slices
    from watcher.pricing import PriceBook


def reconcile(
    store: LedgerStore,
    prices: PriceBook,
    organization: str,
    window: tuple[datetime, datetime],
    bucket: Slices,
    now: datetime,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the reconciliation of the UTC days that begin in the window."""
    from watcher.ledger.reconciliation_report import reconciliation_report

    report = reconciliation_report(store, prices, organization, *window, bucket, now)
    if as_json:
        from watcher.ledger.reconciliation_forms import reconciliation_json

        print_json(reconciliation_json(report))
    elif as_csv:
        from watcher.ledger.reconciliation_forms import reconciliation_csv

        typer.echo(reconciliation_csv(report), nl=False)
    else:
        from rich.console import Console

        from watcher.cli.reconcile_table import show

        show(report, Console())
