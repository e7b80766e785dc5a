"""`watcher`: see `watcher --help`."""

from __future__ import annotations

import io
import sys
import threading
from types import TracebackType

from watcher.ownership import check_ownership


def main() -> None:
    """Run the command line, unless another program's packages lie in our place."""
    if sentence := check_ownership():
        print(sentence, file=sys.stderr)  # noqa: T201 — nothing else can be trusted to print it
        raise SystemExit(1)
    sys.excepthook = _tell  # before the command line's library, which keeps the one that it finds
    threading.excepthook = lambda thrown: _tell(
        thrown.exc_type, thrown.exc_value or thrown.exc_type(), thrown.exc_traceback
    )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot write a name shows question marks
    from watcher.cli import app

    app()


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught goes to the log, which knows what must not be shown; a bare traceback would not."""
    from watcher import logs

    logs.tell_uncaught(kind, error, trace)


if __name__ == "__main__":
    main()
