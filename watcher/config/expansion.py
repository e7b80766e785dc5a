"""Variables of the environment inside strings: `${NAME}`, `${NAME:-default}`, and `$$` for a dollar sign.

They are expanded after the TOML is parsed, so a value can never change the shape of the file, and what a variable
brings in is not looked at again. As in a shell, `:-` takes the default when the variable is unset or empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from watcher.config.problems import Expanded, Problem, shown_key

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<or>:-(?P<default>(?:\$\$|(?!\$\{)[^}])*))?\}"
    r"|(?P<broken>\{))"
)
_WITHOUT_BRACES = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")


def expand(document: Mapping[str, Any], env: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """The document with every string expanded, and what could not be.

    A string that could not be expanded is left empty; what is then found wrong at its place is not news.
    """
    problems: list[Problem] = []

    def walk(value: Any, place: str) -> Any:
        match value:
            case str():
                text, wrong = _expand_text(value, env)
                problems.extend(Problem(place, sentence) for sentence in wrong)
                return text
            case list():
                return [walk(item, f"{place}[{index}]") for index, item in enumerate(value)]
            case dict():
                return {key: walk(item, f"{place}.{shown_key(key)}".lstrip(".")) for key, item in value.items()}
            case _:
                return value

    expanded: dict[str, Any] = walk(dict(document), "")
    return expanded, problems


def _expand_text(text: str, env: Mapping[str, str]) -> tuple[str, list[str]]:
    if "$" not in text:
        return text, []
    if _WITHOUT_BRACES.fullmatch(text):
        return "", [f"variables are written with braces: ${{{text[1:]}}} (or $${text[1:]} for the text itself)"]
    wrong: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if match["broken"]:
            wrong.append("has a ${ that is not ${NAME} or ${NAME:-default}; $$ stands for a dollar sign")
            return ""
        name = match["name"]
        value = env.get(name)
        if match["or"] and not value:
            return match["default"].replace("$$", "$")
        if value is None:
            wrong.append(f"the environment variable {name} is not set; set it, or write ${{{name}:-a default}}")
            return ""
        if any("\ud800" <= character <= "\udfff" for character in value):
            wrong.append(f"the environment variable {name} is not UTF-8 text")
            return ""
        return value

    expanded = _VARIABLE.sub(replace, text)
    return ("", wrong) if wrong else (Expanded(expanded, text), [])
