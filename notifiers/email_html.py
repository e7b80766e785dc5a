"""A story as an HTML page for e-mail: inline styles alone, nothing that is loaded from elsewhere, all text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from notifiers.story import Line, Story, Tone

_COLOURS = {
    Tone.CRITICAL: "#c62828",
    Tone.WARNING: "#e67700",
    Tone.INFO: "#1565c0",
    Tone.RESOLVED: "#2e7d32",
    Tone.START: "#00838f",
    Tone.DIGEST: "#37474f",
    Tone.ACTION: "#00695c",
    Tone.TEST: "#6a1b9a",
}
_TAGS = {"plain": "{}", "strong": "<strong>{}</strong>", "code": '<code style="font-size:13px">{}</code>'}
_BODY = "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;max-width:640px;padding:8px"
_TITLE = "font-size:18px;margin:0 0 12px;padding-left:10px"
_PICTURE = "font:13px/1.2 ui-monospace,Menlo,Consolas,monospace"


def html_page(told: Story, *, chart: str | None = None, link: str = "", most: int = 200) -> str:
    """The whole story. `chart` is the content id of an image of the same message, `link` leads to the status page.

    Of each section at most `most` rows are shown, and what is left out is counted.
    """
    parts = [
        f'<h2 style="{_TITLE};border-left:4px solid {_COLOURS[told.tone]}">{escape(told.headline)}</h2>',
        *(f'<p style="margin:0 0 6px">{_line(row)}</p>' for row in told.lead),
    ]
    if chart is not None:
        parts.append(f'<p><img src="cid:{escape(chart)}" alt="" style="max-width:100%"></p>')
    elif told.picture:
        parts.append(f'<pre style="{_PICTURE}">{escape(chr(10).join(told.picture))}</pre>')
    for section in told.sections:
        if section.heading:
            parts.append(f'<h3 style="font-size:15px;margin:14px 0 4px">{escape(section.heading)}</h3>')
        parts += _rows(section.lines[:most], listed=section.listed)
        if len(section.lines) > most:
            parts.append(f"<p>and {len(section.lines) - most:,} more</p>")
    parts.append(_footer(told.footer, link))
    return _page(told.title, "\n".join(filter(None, parts)))


def _rows(rows: Sequence[Line], *, listed: bool) -> list[str]:
    if not listed:
        return [f'<p style="margin:0 0 6px">{_line(row)}</p>' for row in rows]
    return ['<ul style="margin:0;padding-left:20px">', *(f"<li>{_line(row)}</li>" for row in rows), "</ul>"]


def _footer(texts: Sequence[str], link: str) -> str:
    said = " · ".join(map(escape, texts))
    leads = f'<a href="{escape(link)}">status page</a>' if link else ""
    inside = " · ".join(filter(None, (said, leads)))
    return f'<p style="margin:16px 0 0;font-size:12px;opacity:.7">{inside}</p>' if inside else ""


def _page(title: str, body: str) -> str:
    head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<title>{escape(title)}</title></head>\n'
        f'<body style="{_BODY}">\n{body}\n</body></html>\n'
    )


def _line(row: Line) -> str:
    return "".join(_TAGS[words.style].format(escape(words.text)) for words in row)
