"""Alertmanager beside our routing: what it takes of the processor until it has put as many alerts into their groups."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

BATCH = 1000
HEAD = """receivers:
{receivers}
route:
  receiver: ops
  group_by: [workspace]
  group_wait: 1m
  routes:
{routes}
"""
ROUTE = """  - receiver: r{n}
    continue: true
    matchers: ['workspace=~"prod-{n}"', 'severity!="info"', 'api_key=~".*[{last}5]"', 'tag_team="team {team}"']
"""


def alertmanager(alerts: Sequence[Mapping[str, object]], routes: int) -> float | None:
    """CPU seconds of its process; None where it is not installed."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        return None
    written = "".join(ROUTE.format(n=n, last=n % 10, team=n % 7) for n in range(routes - 1)) + "  - receiver: ops"
    receivers = "\n".join(f"- name: {name}" for name in ("ops", *(f"r{n}" for n in range(routes - 1))))
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "am.yml"
        config.write_text(HEAD.format(receivers=receivers, routes=written))
        command = [binary, f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address="]
        with subprocess.Popen([*command, f"--web.listen-address={url}"], stderr=subprocess.DEVNULL) as process:
            try:
                return _measured(process.pid, f"http://{url}", alerts)
            finally:
                process.terminate()


def _measured(process: int, url: str, alerts: Sequence[Mapping[str, object]]) -> float:
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        while not _is_ready(client):
            time.sleep(0.1)
        before = _cpu(process)
        for first in range(0, len(alerts), BATCH):
            client.post("/api/v2/alerts", json=alerts[first : first + BATCH]).raise_for_status()
        taken, last = _cpu(process), -1.0
        while taken != last:  # it groups beside reading: until it has nothing left to do
            time.sleep(0.5)
            taken, last = _cpu(process), taken
        return taken - before


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").is_success
    except httpx.HTTPError:
        return False


def _cpu(process: int) -> float:
    """Of the kernel's account of it: user and system time are the 14th and 15th field."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
