"""Every typical message and every page, drawn to be looked at.

    python -m benchmarks.gallery [OUT_DIR]

Writes OUT_DIR/index.html (default: build/gallery), which needs nothing beside it: each message as Slack shows it, light
and dark, with the chart that stands in its thread, as the console prints it, and as the text that notifications carry;
the charts also as PNGs. Every message is held against slack-sdk's models and Slack's limits. Where chromium is
installed, also one PNG a message, and the pages of a simulated organization at two widths (page-….png).
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from slack_sdk.models.blocks import Block

from benchmarks.browser import chromium
from benchmarks.gallery_actions import typical_actions
from benchmarks.gallery_page import page, slack_html
from benchmarks.gallery_pages import photograph_pages
from benchmarks.gallery_said import said
from benchmarks.gallery_samples import ORGANIZATION, typical
from notifiers.alert_chart import chart_of
from notifiers.bars import png as digest_png
from notifiers.chart import alt_text, png
from notifiers.console import print_story
from notifiers.email_html import html_page
from notifiers.figure import HEIGHT, WIDTH, Look
from notifiers.render import story
from notifiers.slack_message import bot_message
from rules.model import Notification, State

SCALE = 1.5
LOOKS: tuple[Look, ...] = get_args(Look)


def main(arguments: list[str] | None = None) -> None:
    """Write the page, and the pictures if they can be taken."""
    parser = argparse.ArgumentParser(description="Draw every typical message.")
    parser.add_argument("out_dir", nargs="?", type=Path, default=Path("build/gallery"))
    out_dir: Path = parser.parse_args(arguments).out_dir
    out_dir.mkdir(parents=True, exist_ok=True)
    messages = {**typical(), **said(), **typical_actions()}
    charts = {title: _charts(notification) for title, notification in messages.items()}
    shown = {title: _shown(title, notification, charts[title]) for title, notification in messages.items()}
    index = out_dir / "index.html"
    index.write_text(page(f"What claude-watcher says: {ORGANIZATION}", list(shown.values())), encoding="utf-8")
    print(f"{index}: {len(messages)} messages, {sum(map(bool, charts.values()))} with a chart, all as Slack takes them")
    for title, looks in charts.items():
        for look, picture in looks.items():
            (out_dir / f"{_slug(title)}-{look}.png").write_bytes(picture)
    program = chromium()
    if program is None:
        print("no pictures of messages and pages: chromium is not installed")
        return
    for taken in photograph_pages(program, out_dir):
        print(taken)
    for number, (title, html) in enumerate(shown.items(), start=1):
        single = out_dir / f"{number:02d}.html"
        single.write_text(page(title, [html]), encoding="utf-8")
        print(photograph(program, single))
        single.unlink()


def _shown(title: str, notification: Notification, charts: Mapping[Look, bytes]) -> str:
    message = bot_message(story(notification), notification, interactive=True)
    check(message)
    both = "".join(slack_html(message["blocks"], look, _image(charts.get(look), notification)) for look in LOOKS)
    return (
        f"<h2>{escape(title)}</h2>{both}<pre class='plain'>{escape(_console(notification))}</pre>"
        f"<details><summary>text for notifications</summary><pre>{message['text']}</pre></details>"
        f"<details><summary>e-mail</summary>{_mail(notification)}</details>"
    )


def check(message: Mapping[str, Any]) -> None:
    """Hold a message against slack-sdk's models and Slack's limits; raises ValueError or SlackObjectFormationError."""
    blocks = message["blocks"]
    if len(blocks) > 50 or len(message["text"]) > 4_000:
        raise ValueError("longer than Slack takes")
    for block in Block.parse_all(blocks):
        block.validate_json()


def _charts(notification: Notification) -> dict[Look, bytes]:
    """The picture in the message's thread, in both looks; none where there is none."""
    if notification.digest is not None:
        told = notification.digest
        return {look: digest_png(told, look, scale=SCALE) for look in LOOKS}
    alerts = [alert for alert in notification.alerts if alert.state is not State.RESOLVED]
    chart = chart_of(alerts[0]) if len(notification.alerts) == len(alerts) == 1 else None
    return {} if chart is None else {look: png(chart, look, scale=SCALE) for look in LOOKS}


def _image(picture: bytes | None, notification: Notification) -> str:
    if picture is None:
        return ""
    chart = chart_of(notification.alerts[0]) if notification.alerts else None
    words = escape(alt_text(chart)) if chart is not None else "The days of four weeks"
    source = f"data:image/png;base64,{b64encode(picture).decode('ascii')}"
    return f'<img src="{source}" width="{WIDTH}" height="{HEIGHT}" alt="{words}">'


def _mail(notification: Notification) -> str:
    framed = escape(html_page(story(notification), link="https://watcher.example/"), quote=True)
    return f'<iframe title="e-mail" sandbox srcdoc="{framed}"></iframe>'


def _console(notification: Notification) -> str:
    stream = io.StringIO()
    print_story(story(notification), Console(file=stream, width=80, color_system=None, force_terminal=False))
    return stream.getvalue().strip("\n")


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def photograph(program: str, html: Path, size: str = "1500,1700") -> Path:
    """A picture of a page, beside it."""
    picture = html.with_suffix(".png")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                program,
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                f"--window-size={size}",
                f"--screenshot={picture.resolve()}",
                html.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
    return picture


if __name__ == "__main__":
    main()
