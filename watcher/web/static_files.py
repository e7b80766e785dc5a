"""The few files beside the pages, held in memory: whatever is not among them is not there."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
TYPES = {
    f".{end}": f"text/{kind}; charset=utf-8" for end, kind in {"js": "javascript", "css": "css", "txt": "plain"}.items()
}
CACHED = "private, max-age=86400"

_FILES = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


def static_file(name: str) -> tuple[bytes, str] | None:
    """The content of a file and its type; None where there is none of that name."""
    content = _FILES.get(name)
    return None if content is None else (content, TYPES[Path(name).suffix])


def address_of(name: str) -> str:
    """Where a page finds a file; another one once its content changes."""
    return f"/static/{name}?v={sha256(_FILES[name]).hexdigest()[:10]}"
