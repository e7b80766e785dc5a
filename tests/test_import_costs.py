"""What starting costs: help is quick, and heavy libraries are imported only by what needs them."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stage import BUDGET, NOW, environment, write_config
from watcher import cli
from watcher.simulator import Simulator, World
from watcher.store import Store

HEAVY = {
    "numpy",
    "statsmodels",
    "scipy",
    "pandas",
    "sqlalchemy",
    "alembic",
    "httpx",
    "uvicorn",
    "starlette",
}
HELP_SECONDS = 0.8
"""It takes 0.3 s where nothing else runs; what it may import is held by its twin, which no load disturbs."""
FOR_THE_WORLD = {
    "httpx",
    "stamina",
    "apscheduler",
    "prometheus_client",
    "slack_sdk",
    "starlette",
    "uvicorn",
    "jinja2",
    "matplotlib",
    "alembic",
    "statsmodels",
}
"""What talks to others, draws or fits: nothing of that is in a report of what the store holds."""
FOR_THE_LOG = {"structlog", "rich.traceback", "rich.table", "rich._emoji_codes"}
"""What lays out tables, shows tracebacks and makes lines of a log: of a thousand rows that was a third."""
MODULES_OF_A_REPORT = 815
"""There were 735; each costs a fifth of a millisecond and more, before it does anything."""
LISTING = """\
import atexit, json, sys
atexit.register(lambda: sys.stderr.write("\\n" + json.dumps(sorted(sys.modules))))
sys.argv[0] = "watcher"
from watcher.__main__ import main
main()
"""


def imported_by(*arguments: str | Path) -> set[str]:
    """The modules that a command has imported when it ends, packages and all that lies in them."""
    command = [sys.executable, "-c", LISTING, *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_is_quick() -> None:
    """By the processor's time, which is the whole of it on a machine that does nothing else."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "watcher", "--help"], env=environment(), capture_output=True, timeout=30, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert statistics.median(taken) < HELP_SECONDS, taken


def test_help_imports_nothing_heavy() -> None:
    for arguments in (["--help"], ["spend", "--help"], ["run", "--help"]):
        assert not HEAVY & imported_by(*arguments)
    assert not {"pydantic", "importlib.metadata"} & imported_by("--help")


def test_a_spend_report_needs_no_http_client(tmp_path: Path) -> None:
    with Simulator(World(started_at=NOW - timedelta(hours=5), keys=6, days=23), lambda: NOW) as served:
        config = write_config(tmp_path, served.url, backfill="2d")
        imported_by("poll", "-c", config)
    for form in ((), ("--csv",), ("--json",)):
        modules = imported_by("spend", "-c", config, *form)
        assert "numpy" in modules
        assert not (FOR_THE_WORLD | FOR_THE_LOG | {"numpy.ma"}) & modules
        assert len(modules) < MODULES_OF_A_REPORT


def test_a_status_needs_no_http_client_and_no_log(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    with Store.open(f"sqlite:///{tmp_path}/watcher.db"):
        pass
    modules = imported_by("status", "-c", config)
    assert "watcher.status" in modules
    assert not (FOR_THE_WORLD | {"structlog", "rich.traceback"}) & modules


def test_a_command_imports_no_other_command() -> None:
    """Nor makes it, which takes longer than some of them run."""
    modules = imported_by("spend", "--help")
    assert "watcher.cli.spend" in modules
    assert not {"watcher.cli.run", "watcher.cli.keys", "watcher.cli.backtest", "watcher.cli.budgets"} & modules


def test_each_command_is_listed_with_the_module_that_registers_it() -> None:
    folder = Path(cli.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "def register(app: typer.Typer)" in path.read_text()}
    assert {name: module for module in modules for name in cli._made(module)} == cli.MODULES


def test_without_a_receiver_in_slack_its_library_is_not_imported(tmp_path: Path) -> None:
    with Simulator(World(started_at=NOW - timedelta(hours=5), keys=6, days=23), lambda: NOW) as served:
        modules = imported_by("poll", "-c", write_config(tmp_path, served.url, backfill="2d"))
    assert "httpx" in modules
    assert "slack_sdk" not in modules


def test_only_the_first_line_of_a_log_needs_structlog(tmp_path: Path) -> None:
    quiet, loud = "watcher.logs.configure()", "watcher.logs.configure(); logging.getLogger('some').warning('heard')"
    for statements, wanted in ((quiet, False), (loud, True)):
        script = f"import logging, sys, watcher.logs; {statements}; print('structlog' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.strip() == str(wanted)
        assert ("heard" in done.stderr) == wanted


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted where Linux lists them")
def test_numpy_starts_no_threads_of_its_own() -> None:
    script = "import atexit, sys; from watcher.__main__ import main; sys.argv[1:] = ['--version']\n"
    script += (
        "atexit.register(lambda: (__import__('numpy'), print(len(__import__('os').listdir('/proc/self/task')))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script + "main()"], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "1"


def test_a_whole_poll_imports_no_statsmodels(tmp_path: Path) -> None:
    world = World(started_at=NOW - timedelta(hours=5), keys=6, days=23, scenario="runaway")
    with Simulator(world, lambda: NOW) as served:
        rule = '[[anomaly]]\nname = "key spend"\nper = ["api_key"]\n'
        config = write_config(tmp_path, served.url, BUDGET + rule, backfill="20d")
        modules = imported_by("poll", "-c", config)
    assert "numpy" in modules
    assert not {"statsmodels", "scipy", "pandas", "matplotlib", "uvicorn", "apscheduler"} & modules
