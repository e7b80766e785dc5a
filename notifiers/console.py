"""Console: the story printed on a terminal or into a log, readable at 80 columns."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from notifiers.base import DeliveryError
from notifiers.render import story
from notifiers.story import GLYPHS, Line, Story, Tone, code, line
from rules.model import Notification

_COLOURS = {
    Tone.CRITICAL: "bold red",
    Tone.WARNING: "bold yellow",
    Tone.INFO: "bold blue",
    Tone.RESOLVED: "bold green",
    Tone.START: "bold cyan",
    Tone.DIGEST: "bold",
    Tone.ACTION: "bold cyan",
    Tone.TEST: "bold magenta",
}
_STYLES = {"plain": "", "strong": "bold", "code": "cyan"}


@dataclass(frozen=True, slots=True)
class ConsoleNotifier:
    """Prints each notification to `console`, by default standard output. See `Notifier` for the contract."""

    name: str
    console: Console | None = field(default=None, repr=False)

    def send(self, notification: Notification) -> None:
        """Print the story; raises DeliveryError, retryable, when the stream does not take it."""
        console, told = self.console or Console(), story(notification)
        try:
            print_story(told, console)
        except OSError as error:
            reason = f"the console did not take the message ({type(error).__name__})"
        except ValueError:
            reason = "the console's stream is closed"
        else:
            return
        raise DeliveryError(reason, retryable=True)


def print_story(told: Story, console: Console) -> None:
    """Print a story. Text is literal: markup, emoji codes and highlighting are off, and control characters are gone.

    What the stream's encoding cannot write is replaced, since a message with question marks beats none.
    """

    def show(row: Line, indent: int, mark: str = "", style: str = "") -> None:
        grid = Table.grid(padding=(0, 1, 0, 0))
        cells = [_written(line(mark), console, style), _written(row, console, style)]
        grid.add_row(*cells if mark else cells[1:])
        console.print(Padding(grid, (0, 0, 0, indent), expand=False), highlight=False, markup=False, emoji=False)

    console.print()
    show(line(told.title), 0, GLYPHS[told.tone], _COLOURS[told.tone])
    for row in told.lead:
        show(row, 3)
    for picture in told.picture:
        show(line(code(picture)), 3)
    for section in told.sections:
        show(line(section.heading), 3, style="bold")
        for row in section.lines:
            show(row, 3, "•" if section.listed else "")
    if told.footer:
        show(line(" · ".join(told.footer)), 3, style="dim")
    console.print()


def _written(row: Line, console: Console, style: str) -> Text:
    """The line as Rich's literal text, without what the stream's encoding cannot write."""
    text = Text(style=style)
    for words in row:
        writable = words.text.encode(console.encoding, "replace").decode(console.encoding)
        text.append(writable, style=_STYLES[words.style])
    return text
