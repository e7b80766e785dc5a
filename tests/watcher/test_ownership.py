"""Other programs' packages in the place of ours, tried with real folders and real interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("rules", "notifiers", "watcher")
ASK = "from watcher.ownership import check_ownership; print(check_ownership({how}) or 'fine')"


def install(site: Path) -> Path:
    """A folder that holds our packages as far as the check looks at them, as an installation would lay them out."""
    for name in OURS:
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text((ROOT / name / "__init__.py").read_text(encoding="utf-8"))
    (site / "watcher" / "ownership.py").write_text((ROOT / "watcher" / "ownership.py").read_text(encoding="utf-8"))
    record(site, "claude_watcher", "claude-watcher", [f"{name}/__init__.py" for name in OURS])
    return site


def record(site: Path, folder: str, name: str, files: list[str]) -> None:
    """What pip leaves behind of a distribution."""
    info = site / f"{folder}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files))


def ask(*path: Path, how: str = "", folder: Path | None = None, safe: bool = True) -> str:
    """What the check says in an interpreter that has these folders on its path, in this order, and no site-packages."""
    command = [sys.executable, "-S", *(["-P"] if safe else []), "-c", ASK.format(how=how)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env |= {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("how", ["", "thorough=True"])
def test_an_installation_of_its_own_is_fine(tmp_path: Path, how: str) -> None:
    assert ask(install(tmp_path / "site"), how=how) == "fine"


@pytest.mark.parametrize("how", ["", "thorough=True"])
def test_this_checkout_is_fine(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(how=how)], capture_output=True, text=True, timeout=30, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "fine"


@pytest.mark.parametrize("name", ["rules", "notifiers"])
def test_a_package_that_stands_before_ours_is_named_with_where_it_is_and_is_not_run(tmp_path: Path, name: str) -> None:
    site = install(tmp_path / "site")
    other = tmp_path / "other"
    (other / name).mkdir(parents=True)
    (other / name / "__init__.py").write_text('print("it ran")')
    sentence = ask(other, site)
    assert sentence.startswith(f'Python finds another "{name}" ({other / name})')
    assert "without PYTHONPATH" in sentence
    assert "virtual environment of its own" in sentence
    assert "it ran" not in sentence
    assert ask(site, other) == "fine"


def test_a_module_that_stands_before_ours_is_found_too(tmp_path: Path) -> None:
    site = install(tmp_path / "site")
    (tmp_path / "rules.py").write_text("")
    assert ask(tmp_path, site).startswith('Python finds another "rules"')


def test_a_package_in_the_current_folder_is_found_when_python_looks_there(tmp_path: Path) -> None:
    site = install(tmp_path / "site")
    (tmp_path / "project" / "notifiers").mkdir(parents=True)
    (tmp_path / "project" / "notifiers" / "__init__.py").write_text("")
    project = tmp_path / "project"
    assert ask(site, folder=project, safe=False).startswith('Python finds another "notifiers"')
    assert ask(site, folder=project, safe=True) == "fine"


@pytest.mark.parametrize("name", ["rules", "notifiers"])
def test_a_package_installed_over_ours_is_known_by_its_missing_mark_and_is_not_run(tmp_path: Path, name: str) -> None:
    site = install(tmp_path / "site")
    (site / name / "__init__.py").write_text('OWNER = "someone else"\nprint("it ran")\n')
    sentence = ask(site)
    assert sentence.startswith(f'The package "{name}" in {site} belongs to another distribution')
    assert "it ran" not in sentence


@pytest.mark.parametrize("name", ["rules", "notifiers"])
def test_a_package_that_is_gone_is_told_as_missing(tmp_path: Path, name: str) -> None:
    site = install(tmp_path / "site")
    (site / name / "__init__.py").unlink()
    assert ask(site).startswith(f'The package "{name}" of claude-watcher is missing')  # an empty folder is left
    (site / name).rmdir()
    sentence = ask(site)
    assert sentence.startswith(f'The package "{name}" of claude-watcher is missing from {site}')
    assert "--force-reinstall" in sentence


def test_a_distribution_that_put_files_among_ours_is_found_by_its_record(tmp_path: Path) -> None:
    site = install(tmp_path / "site")
    record(site, "notifiers", "notifiers", ["notifiers/core.py", "notifiers/__init__.py"])
    assert ask(site) == "fine"
    sentence = ask(site, how="thorough=True")
    assert sentence.startswith('The distribution "notifiers" has put files into notifiers of claude-watcher')
    assert "pip uninstall notifiers" in sentence


def test_an_older_installation_is_found_by_its_own_kind_of_record(tmp_path: Path) -> None:
    site = install(tmp_path / "site")
    info = site / "rules-1.0-py3.11.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: rules\nVersion: 1.0\n")
    (info / "installed-files.txt").write_text("../rules/__init__.py\nPKG-INFO\n")
    assert ask(site, how="thorough=True").startswith('The distribution "rules" has put files into rules')


def test_a_distribution_elsewhere_and_one_with_similar_names_are_no_concern(tmp_path: Path) -> None:
    site = install(tmp_path / "site")
    record(tmp_path / "elsewhere", "rules", "rules", ["rules/__init__.py"])
    record(site, "durable_rules", "durable_rules", ["durable/rules/__init__.py", "rules_x/a.py", "myrules/b.py"])
    assert ask(site, tmp_path / "elsewhere", how="thorough=True") == "fine"


def test_a_link_to_the_folder_is_the_folder(tmp_path: Path) -> None:
    install(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    assert ask(tmp_path / "link", tmp_path / "real", how="thorough=True") == "fine"


def test_the_look_at_every_start_costs_less_than_two_milliseconds(tmp_path: Path) -> None:
    site = install(tmp_path / "site")
    code = (
        "import time; from watcher.ownership import check_ownership; times = []\n"
        "for _ in range(20):\n"
        "    began = time.perf_counter(); check_ownership(); times.append(time.perf_counter() - began)\n"
        "print(min(times))"
    )
    env = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.002
