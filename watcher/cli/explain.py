"""`watcher explain`: why an alert is what it is, who was told, and whether it would be decided so again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.alert_ids import the_alert
from watcher.cli.context import DEFAULT_CONFIG, AsJson, ConfigFile, clock_for, load_settings, open_store, print_json
from watcher.cli.organizations import chosen

if TYPE_CHECKING:
    from watcher.explain.explanation import Explanation


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("explain")(explain)


def explain(
    alert: Annotated[str, typer.Argument(help="Its id, as `watcher alerts` shows it, or its first characters.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show why an alert was told: figures, prices, thresholds, what happened, who heard; also of one that has ended.

    Then judge the same hour again, with the present figures and configuration, and say what differs.
    """
    from watcher.explain.explanation import explain as look
    from watcher.explain.record import read_record

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        concerned = {each.id: each for each in chosen(settings, store, None)}
        every = [one for one in store.alerts.list() if one.subject.scope.organization in concerned]
        found = the_alert(alert, every, noun="alert", fits=lambda _one: True)
        record = read_record(store, settings, concerned[found.subject.scope.organization], found, now)
        explanation = look(store, settings, record, now)
    if as_json:
        from watcher.explain.forms import to_json

        print_json(to_json(explanation))
    else:
        _print(explanation)


def _print(explanation: Explanation) -> None:
    from rich.console import Console
    from rich.text import Text

    from watcher.explain.sections import opening, sections
    from watcher.lines import print_hanging

    console = Console()
    first, second = opening(explanation)
    print_hanging(console, Text(""), Text(first, style="bold"))
    print_hanging(console, Text(""), Text(second, style="dim"))
    for section in sections(explanation):
        console.print()
        print_hanging(console, Text(""), Text(section.heading, style="bold"))
        for sentence in section.sentences:
            indent = len(sentence) - len(sentence.lstrip())
            print_hanging(console, Text(" " * (2 + indent)), Text(sentence.lstrip()))
        for row in section.picture:
            console.print(Text(f"  {row}"), soft_wrap=True)
