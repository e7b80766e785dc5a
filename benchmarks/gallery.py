"""Every typical message, drawn to be looked at.

    python -m benchmarks.gallery [OUT_DIR]

Writes OUT_DIR/index.html (default: build/gallery): each message as Slack shows it, light and dark, as the console
prints it, and as the text that notifications carry. Where chromium is installed, also one PNG a message.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
from html import escape
from pathlib import Path

from rich.console import Console

from benchmarks.gallery_actions import typical_actions
from benchmarks.gallery_page import page, slack_html
from benchmarks.gallery_samples import typical
from notifiers.console import print_story
from notifiers.render import story
from notifiers.slack import slack_message
from rules.model import Notification


def main(arguments: list[str] | None = None) -> None:
    """Write the page, and the pictures if they can be taken."""
    parser = argparse.ArgumentParser(description="Draw every typical message.")
    parser.add_argument("out_dir", nargs="?", type=Path, default=Path("build/gallery"))
    out_dir: Path = parser.parse_args(arguments).out_dir
    out_dir.mkdir(parents=True, exist_ok=True)
    shown = {title: _shown(title, notification) for title, notification in {**typical(), **typical_actions()}.items()}
    index = out_dir / "index.html"
    index.write_text(page("What claude-watcher says", list(shown.values())), encoding="utf-8")
    print(index)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("no pictures: chromium is not installed")
        return
    for number, (title, html) in enumerate(shown.items(), start=1):
        single = out_dir / f"{number:02d}.html"
        single.write_text(page(title, [html]), encoding="utf-8")
        print(_photograph(chromium, single))
        single.unlink()


def _shown(title: str, notification: Notification) -> str:
    message = slack_message(story(notification))
    both = "".join(slack_html(message["blocks"], theme) for theme in ("light", "dark"))
    return (
        f"<h2>{escape(title)}</h2>{both}<pre class='plain'>{escape(_console(notification))}</pre>"
        f"<details><summary>text for notifications</summary><pre>{message['text']}</pre></details>"
    )


def _console(notification: Notification) -> str:
    stream = io.StringIO()
    print_story(story(notification), Console(file=stream, width=80, color_system=None, force_terminal=False))
    return stream.getvalue().strip("\n")


def _photograph(chromium: str, html: Path) -> Path:
    picture = html.with_suffix(".png")
    subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--window-size=1500,1500",
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
