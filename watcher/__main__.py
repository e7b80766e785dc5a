"""`watcher`: see `watcher --help`."""

from __future__ import annotations

import sys

from watcher.ownership import check_ownership


def main() -> None:
    """Run the command line, unless another program's packages lie in our place."""
    if sentence := check_ownership():
        print(sentence, file=sys.stderr)  # noqa: T201 — nothing else can be trusted to print it
        raise SystemExit(1)
    from watcher.cli import app

    app()


if __name__ == "__main__":
    main()
