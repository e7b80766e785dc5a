"""The systemd unit is closed, starts again what a start mends, and gives the program its secrets."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stage import ADMIN_KEY
from watcher.cli.context import ALREADY_RUNNING, INVALID_CONFIG
from watcher.config import load
from watcher.config.durations import parse_duration
from watcher.daemon import LAST_CALL

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONFIG_PATH = "/etc/claude-watcher/config.toml"


UNIT = DEPLOY / "claude-watcher.service"
CLOSED = {
    "AmbientCapabilities": "",
    "CapabilityBoundingSet": "",
    "DevicePolicy": "closed",
    "KeyringMode": "private",
    "LimitCORE": "0",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateMounts": "yes",
    "PrivateTmp": "yes",
    "PrivateUsers": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RemoveIPC": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "StateDirectoryMode": "0700",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}
MOST_EXPOSED = 2.0
"""What `systemd-analyze security` may say at most; 10 is wide open."""


def unit() -> dict[str, list[str]]:
    """The settings of the unit's section [Service], each as often as it is given."""
    found: dict[str, list[str]] = {}
    body = UNIT.read_text().partition("[Service]\n")[2].partition("\n[")[0]
    for line in body.splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_is_as_closed_as_it_can_be() -> None:
    found = unit()
    assert {key: found.get(key) for key in CLOSED} == {key: [value] for key, value in CLOSED.items()}
    assert found["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert found["User"] != ["root"]


@pytest.mark.outside
def test_systemd_finds_the_unit_hardly_exposed() -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed; the options are checked against a list")
    command = [program, "security", "--offline=yes", f"--threshold={MOST_EXPOSED * 10:.0f}", "--no-pager", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze reads no unit files; the options are checked against a list")
    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert (done.returncode, float(level) <= MOST_EXPOSED) == (0, True), done.stdout


def test_the_unit_starts_again_what_failed_and_not_what_no_start_mends() -> None:
    found = unit()
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["on-failure"]
    assert {int(code) for code in found["RestartPreventExitStatus"][0].split()} == {2, INVALID_CONFIG, ALREADY_RUNNING}
    assert parse_duration(found["TimeoutStopSec"][0]).total_seconds() > LAST_CALL + 10
    assert "min" in found["WatchdogSec"][0]
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    program, *arguments = found["ExecStart"][0].split()
    assert (program, arguments) == ("/opt/claude-watcher/bin/watcher", ["run"])
    assert f"WATCHER_CONFIG={CONFIG_PATH}" in found["Environment"]


def test_the_credential_of_the_unit_is_read_through_the_setting_that_it_shows(tmp_path: Path) -> None:
    (line,) = re.findall(r"^# +(admin_key_file = .*)$", UNIT.read_text(), flags=re.MULTILINE)
    names = [value.partition(":")[0] for value in unit()["LoadCredential"]]
    assert names == ["admin-key"]
    assert line.endswith('/admin-key"')
    (tmp_path / "admin-key").write_text(f"{ADMIN_KEY}\n")
    (tmp_path / "admin-key").chmod(0o400)
    (tmp_path / "config.toml").write_text(f"[anthropic]\n{line}\n")
    found = load(tmp_path / "config.toml", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found.organizations[0].admin_key.reveal() == ADMIN_KEY


def test_the_user_of_the_unit_is_made_by_the_file_beside_it() -> None:
    assert (DEPLOY / "claude-watcher.sysusers").read_text().split()[:2] == ["u", unit()["User"][0]]
