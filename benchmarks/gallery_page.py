"""Block Kit JSON drawn as HTML, close enough to Slack's desktop client to judge a message by eye."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]

STYLE = """
*{box-sizing:border-box} body{margin:0;background:#8b8b93;font:15px/1.46668 Lato,"Noto Sans","DejaVu Sans",sans-serif}
main{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px;padding:18px;max-width:1500px;margin:auto}
h1{grid-column:1/-1;margin:0;color:#fff;font-size:22px}
h2{grid-column:1/-1;margin:14px 0 -8px;color:#fff;font-size:16px}
.slack{border-radius:8px;padding:12px 20px 14px;display:flex;gap:8px;align-items:flex-start;min-width:0}
.light{background:#fff;color:#1d1c1d;--line:#ddd;--code:#c01343;--codebg:#f8f8f8;--dim:#616061}
.dark{background:#1a1d21;color:#d1d2d3;--line:#35373b;--code:#e8912d;--codebg:#232529;--dim:#ababad}
.face{flex:0 0 36px;height:36px;border-radius:6px;background:#3f5be8;color:#fff;text-align:center;line-height:36px}
.said{min-width:0;flex:1;max-width:680px}
.who{font-weight:900} .who small{font-weight:400;color:var(--dim);font-size:12px}
.app{background:var(--line);border-radius:2px;font-size:10px;padding:1px 3px;font-weight:700;margin:0 4px}
.header{font-size:18px;font-weight:900;line-height:1.33;margin:8px 0 4px;overflow-wrap:anywhere}
.rich{margin:6px 0;white-space:pre-wrap;overflow-wrap:anywhere} .rich ul{margin:0;padding-left:26px;white-space:normal}
.rich li{white-space:pre-wrap}
code{font:12px/1.5 "DejaVu Sans Mono",monospace;color:var(--code);background:var(--codebg)}
code{border:1px solid var(--line);border-radius:3px;padding:1px 3px}
.rich pre{font:12px/1.5 "DejaVu Sans Mono",monospace;background:var(--codebg);border:1px solid var(--line);margin:4px 0}
.rich pre{border-radius:4px;padding:8px;white-space:pre-wrap}
.context{color:var(--dim);font-size:12px;margin:6px 0 0;overflow-wrap:anywhere}
.mention{background:#1d9bd11a;color:#1d9bd1;border-radius:3px;padding:0 2px}
.actions{display:flex;flex-wrap:wrap;gap:8px;margin:10px 0 4px}
.button{border:1px solid var(--line);border-radius:6px;padding:3px 12px;font-size:13px;font-weight:700}
.thread{border-left:3px solid var(--line);margin:10px 0 0;padding-left:10px} .thread small{color:var(--dim)}
.thread img{display:block;width:100%;height:auto;border-radius:8px;border:1px solid var(--line);margin-top:4px}
iframe{width:100%;height:560px;border:0;border-radius:8px;background:#fff;margin-top:8px}
.plain{grid-column:1/-1;background:#0b0e14;color:#cbd3df;border-radius:8px;padding:14px;margin:0;overflow:auto}
.plain{font:13px/1.4 "DejaVu Sans Mono",monospace}
details{grid-column:1/-1;color:#fff} details pre{background:#fff;color:#222;padding:12px;overflow:auto;font-size:12px}
"""


def page(title: str, parts: list[str]) -> str:
    """A whole HTML page around the parts."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><main><h1>{escape(title)}</h1>{''.join(parts)}</main></html>"
    )


def slack_html(blocks: list[Json], theme: str, below: str = "") -> str:
    """One message in Slack's light or dark look, and what stands in its thread.

    Raises KeyError or ValueError for what Slack would not draw either.
    """
    thread = f'<div class="thread"><small>1 reply</small>{below}</div>' if below else ""
    drawn = "".join(_block(block) for block in blocks)
    return (
        f'<div class="slack {theme}"><div class="face">cw</div><div class="said"><span class="who">claude-watcher'
        f'<span class="app">APP</span><small>14:08</small></span>{drawn}{thread}</div></div>'
    )


def _block(block: Json) -> str:
    match block["type"]:
        case "header":
            return f'<div class="header">{escape(block["text"]["text"])}</div>'
        case "context":
            texts = "&ensp;".join(map(_text, block["elements"]))
            return f'<div class="context">{texts}</div>'
        case "rich_text":
            return f'<div class="rich">{"".join(_rich(element) for element in block["elements"])}</div>'
        case "actions":
            return f'<div class="actions">{"".join(_button(element) for element in block["elements"])}</div>'
    raise ValueError(f"a block of type {block['type']!r} is not drawn")


def _text(element: Json) -> str:
    """A text object; of mrkdwn a mention alone is drawn, as nothing else is written in it."""
    if element["type"] == "plain_text":
        return escape(element["text"])
    mention = re.fullmatch(r"<@([UW][A-Z0-9]+)>", element["text"])
    if mention is None:
        raise ValueError(f"{element['text']!r} is not drawn")
    return f'<span class="mention">@{mention[1]}</span>'


def _button(element: Json) -> str:
    asks = ' <span title="asks back">…</span>' if "confirm" in element else ""
    return f'<span class="button">{escape(element["text"]["text"])}{asks}</span>'


def _rich(element: Json) -> str:
    match element["type"]:
        case "rich_text_section":
            return f"<div>{''.join(_run(run) for run in element['elements'])}</div>"
        case "rich_text_list":
            return f"<ul>{''.join(f'<li>{_rich(item)}</li>' for item in element['elements'])}</ul>"
        case "rich_text_preformatted":
            return f"<pre>{''.join(escape(run['text']) for run in element['elements'])}</pre>"
    raise ValueError(f"a rich text element of type {element['type']!r} is not drawn")


def _run(run: Json) -> str:
    if run["type"] in {"user", "usergroup"}:
        return f'<span class="mention">@{escape(run.get("user_id") or run["usergroup_id"])}</span>'
    text = escape(run["text"])
    style = run.get("style", {})
    if style.get("code"):
        return f"<code>{text}</code>"
    return f"<b>{text}</b>" if style.get("bold") else text
