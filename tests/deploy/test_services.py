"""The services of compose.yaml are as closed as can be, and what they mount and name is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from tests.stage import ADMIN_KEY
from watcher.config import load
from watcher.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CONFIG = (DEPLOY / "config.toml").read_text()
CONFIG_PATH = "/etc/claude-watcher/config.toml"
SECRETS = {"admin-key": ADMIN_KEY, "page-password": "p" * 12, "slack-webhook": "https://hooks.slack.com/services/T/B/x"}


def read(name: str) -> Any:
    """A YAML file of `deploy/`."""
    return yaml.safe_load((DEPLOY / name).read_text())


def binds(service: Mapping[str, Any]) -> list[tuple[Path, str, str]]:
    """The files and folders that a service mounts: source, target, mode."""
    found = [str(volume).split(":") for volume in service.get("volumes", ())]
    return [(DEPLOY / source, target, "".join(mode)) for source, target, *mode in found if source.startswith(".")]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_nothing_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert (service["pids_limit"] > 0, service["ulimits"]["core"]) == (True, 0)
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert all("noexec,nosuid,nodev" in each for each in service["tmpfs"])
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service["ports"])
    assert service["healthcheck"]["test"][0] == "CMD"
    assert not {"privileged", "network_mode", "pid", "ipc", "cap_add", "devices", "env_file"} & set(service)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_of_one_version_and_no_image_names_where_it_comes_from(name: str) -> None:
    image = SERVICES[name]["image"]
    assert "build" in SERVICES[name] or re.search(r":v?\d+\.\d+\.\d+$", image)
    assert "." not in image.split("/")[0].split(":")[0]


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_a_service_mounts_is_there_and_read_only(name: str) -> None:
    service = SERVICES[name]
    for source, _, mode in binds(service):
        assert source.exists(), source
        assert mode == "ro", source
    volumes = [str(volume).split(":")[0] for volume in service["volumes"]]
    assert {volume for volume in volumes if not volume.startswith(".")} <= set(COMPOSE["volumes"])
    assert not any("docker.sock" in volume for volume in volumes)


def test_secrets_come_as_files_that_are_kept_out_of_the_repository() -> None:
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())
    used = {secret["source"] for service in SERVICES.values() for secret in service["secrets"]}
    assert used == set(COMPOSE["secrets"])
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|KEY|SECRET", key):
                assert (key.endswith("__FILE"), "/run/secrets" in value) == (True, True), key


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("watcher", CONFIG),
        ("prometheus", (DEPLOY / "prometheus/prometheus.yml").read_text()),
        ("alertmanager", (DEPLOY / "alertmanager/alertmanager.yml").read_text()),
        ("grafana", json.dumps(SERVICES["grafana"]["environment"])),
    ],
)
def test_every_secret_that_a_configuration_names_is_given_to_its_service_and_no_other(name: str, text: str) -> None:
    named = set(re.findall(r"/run/secrets/([\w-]+)", text))
    assert named == {secret["target"] for secret in SERVICES[name]["secrets"]}


def test_the_comments_say_how_to_make_every_secret_for_the_user_who_reads_it() -> None:
    made = re.findall(r"install -m 0400 -o (\d+) /dev/stdin (\S+)", (DEPLOY / "compose.yaml").read_text())
    readers = {
        COMPOSE["secrets"][secret["source"]]["file"].removeprefix("./"): service["user"].split(":")[0]
        for service in SERVICES.values()
        for secret in service["secrets"]
    }
    assert {path: user for user, path in made} == readers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The configuration of the container, with secrets that stand elsewhere."""
    for name, secret in SECRETS.items():
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o400)
    (tmp_path / "config.toml").write_text(CONFIG.replace("/run/secrets", str(tmp_path)))
    return load(tmp_path / "config.toml", {})


def test_the_configuration_of_the_container_is_valid_and_gives_no_warning(settings: Settings) -> None:
    assert settings.warnings == ()
    assert settings.store.url == "sqlite:////data/watcher.db"
    assert (settings.http.host, f"127.0.0.1:{settings.http.port}:{settings.http.port}") == (
        "0.0.0.0",
        SERVICES["watcher"]["ports"][0],
    )
    assert (CONFIG_PATH, "ro") in [(target, mode) for _, target, mode in binds(SERVICES["watcher"])]


def test_the_services_know_each_other_by_the_names_and_ports_that_they_have(settings: Settings) -> None:
    prometheus = read("prometheus/prometheus.yml")
    jobs = {job["job_name"]: job for job in prometheus["scrape_configs"]}
    (target,) = jobs["claude-watcher"]["static_configs"][0]["targets"]
    host, port = target.split(":")
    assert (host in SERVICES, host in settings.http.hosts, int(port)) == (True, True, settings.http.port)
    assert jobs["claude-watcher"]["basic_auth"]["username"] == "watcher"
    assert 'username = "watcher"' in CONFIG
    (told,) = prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    (source,) = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    for service, address in (("alertmanager", told), ("prometheus", source["url"].removeprefix("http://"))):
        assert address == f"{service}:{SERVICES[service]['ports'][0].split(':')[-1]}"


def test_grafana_finds_every_dashboard_of_ours_and_the_data_source_that_they_ask_for() -> None:
    (provider,) = read("grafana/provisioning/dashboards/claude-watcher.yml")["providers"]
    folder = PurePosixPath(provider["options"]["path"])
    mounts = binds(SERVICES["grafana"])
    mounted = {source.name for source, target, _ in mounts if PurePosixPath(target).parent == folder}
    assert mounted == {path.name for path in (DEPLOY / "grafana").glob("*.json")}
    (source,) = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    for path in (DEPLOY / "grafana").glob("*.json"):
        variables = json.loads(path.read_text())["templating"]["list"]
        assert [each["query"] for each in variables if each["type"] == "datasource"] == [source["type"]]


def checked(program: str, *arguments: str | Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (make system-deps)")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.outside
def test_promtool_is_content_with_the_configuration_of_prometheus() -> None:
    checked("promtool", "check", "config", DEPLOY / "prometheus/prometheus.yml")


@pytest.mark.outside
def test_amtool_is_content_with_the_configuration_of_alertmanager() -> None:
    checked("amtool", "check-config", DEPLOY / "alertmanager/alertmanager.yml")


def test_alertmanager_sends_nobody_what_the_watcher_tells_itself() -> None:
    alertmanager = read("alertmanager/alertmanager.yml")
    (quiet,) = alertmanager["route"]["routes"]
    kept = re.findall(r"[A-Z]\w+", quiet["matchers"][0].partition("=~")[2])
    rules = read("prometheus/rules.yml")
    (money,) = [group for group in rules["groups"] if group["name"] == "claude-watcher-money"]
    assert sorted(kept) == sorted(rule["alert"] for rule in money["rules"] if "alert" in rule)
    assert [each for each in alertmanager["receivers"] if each["name"] == quiet["receiver"]] == [
        {"name": quiet["receiver"]}
    ]


def test_alertmanager_holds_back_no_alert_but_our_own() -> None:
    """Whoever takes the file over to an Alertmanager that hears of other things must not go deaf to them."""
    ours = {
        rule["alert"] for group in read("prometheus/rules.yml")["groups"] for rule in group["rules"] if "alert" in rule
    }
    for rule in read("alertmanager/alertmanager.yml")["inhibit_rules"]:
        (matcher,) = rule["target_matchers"]
        (names,) = re.findall(r'^alertname =~ "([A-Za-z|]+)"$', matcher)
        assert set(names.split("|")) < ours, matcher
