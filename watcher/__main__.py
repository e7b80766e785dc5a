"""`watcher`: see `watcher --help`."""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from types import TracebackType

from watcher.collecting import collect_rarely
from watcher.ownership import check_ownership

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main() -> None:
    """Run the command line, unless another program's packages lie in our place."""
    if sentence := check_ownership():
        print(sentence, file=sys.stderr)  # noqa: T201 — nothing else can be trusted to print it
        raise SystemExit(1)
    collect_rarely()
    # numpy's linear algebra would start a thread a core, at once and for ever; what is computed here is too small.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # pydantic would look through all that is installed for plugins, and let them change what a configuration may hold.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    threading.excepthook = lambda thrown: _tell(
        thrown.exc_type, thrown.exc_value or thrown.exc_type(), thrown.exc_traceback
    )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot write a name shows question marks
    from watcher.cli import app

    try:
        app()
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            _give_up_output(error)
        else:
            _tell(type(error), error, error.__traceback__)
        raise SystemExit(1) from None
    except Exception as error:  # noqa: BLE001 — told here, as a bare traceback might show what must not be shown
        _tell(type(error), error, error.__traceback__)
        raise SystemExit(1) from None


def _give_up_output(error: OSError) -> None:
    """Say that standard output takes no more, and let what is left of it go, or the end would fail once again."""
    print(f"The output cannot be written: {(error.strerror or str(error)).lower()}.", file=sys.stderr)  # noqa: T201
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught goes to the log, which knows what must not be shown; a bare traceback would not."""
    from watcher import logs

    logs.tell_uncaught(kind, error, trace)


if __name__ == "__main__":
    main()
