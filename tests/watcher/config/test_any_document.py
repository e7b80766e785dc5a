"""Whatever the file holds, `load` answers with settings or with InvalidConfig, and says nothing unprintable."""

from __future__ import annotations

import string
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.config import InvalidConfig, load
from watcher.config.models import SEVERAL, SINGLE, keys_of
from watcher.settings import Settings

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
ENV = {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-x", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/x", "ODD": "\udcff"}


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "config.toml"


def answer(path: Path, document: bytes) -> Settings | InvalidConfig:
    path.write_bytes(document)
    try:
        return load(path, ENV)
    except InvalidConfig as caught:
        invalid = caught
    assert invalid.problems
    for problem in invalid.problems:
        assert str(problem).isprintable()
        assert "Input should" not in str(problem)
    return invalid


plain = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(max_size=20),
    st.sampled_from(["5m", "60d", "-1s", "month", "api_key", "slack", "webhook", "console", "UTC", "Europe", "1e9999"]),
    st.sampled_from(["${ODD}", "${ODD", "$$", "${NONE:-x}", "0x7f.1", "https://127.1/", "http://[::1]/", "sqlite:///"]),
    st.sampled_from(["[", "[z-a]", "*", "nan", "/dev/null", "postgresql://[/"]),
    st.sampled_from(["", "127.0.0.1:1", "[::1]:1", "sqlite:///\0", "/proc/self/mem", "a\0b"]),
)
tree = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def table(name: str) -> st.SearchStrategy[Any]:
    kinds = SEVERAL.get(name) or (SINGLE[name],)
    keys = st.sampled_from([*keys_of(kinds), "action", "xyzzy"])
    one = st.dictionaries(keys, tree, max_size=8)
    return st.one_of(st.lists(one, max_size=3), one, tree)


documents = st.fixed_dictionaries({}, optional={name: table(name) for name in [*SINGLE, *SEVERAL]})


def as_toml(value: Any) -> str:
    """Any tree of values as inline TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            escaped = "".join(c if c in string.ascii_letters + " $" else f"\\U{ord(c):08X}" for c in value)
            return f'"{escaped}"'
        case list():
            return f"[{', '.join(map(as_toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{as_toml(key)} = {as_toml(item)}' for key, item in value.items())}}}"
        case _:
            return repr(value)


@given(document=documents)
def test_any_values_at_any_known_place(path: Path, document: dict[str, Any]) -> None:
    answer(path, "\n".join(f"{key} = {as_toml(value)}" for key, value in document.items()).encode())


@given(data=st.data())
def test_the_example_with_pieces_cut_out_and_put_in(path: Path, data: st.DataObject) -> None:
    document = EXAMPLE.read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(document)))
        end = start + data.draw(st.integers(0, 30))
        document = document[:start] + data.draw(st.binary(max_size=6)) + document[end:]
    answer(path, document)


@given(data=st.data())
def test_the_example_with_single_values_replaced(path: Path, data: st.DataObject) -> None:
    lines = EXAMPLE.read_text().splitlines()
    settable = [number for number, line in enumerate(lines) if " = " in line and not line.startswith("# ")]
    for number in data.draw(st.lists(st.sampled_from(settable), min_size=1, max_size=5)):
        key = lines[number].lstrip("#").split(" = ")[0]
        lines[number] = f"{key} = {as_toml(data.draw(tree))}"
    answer(path, "\n".join(lines).encode())


@given(document=st.binary(max_size=200))
def test_any_bytes(path: Path, document: bytes) -> None:
    answer(path, document)
