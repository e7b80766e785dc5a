"""What a valid configuration becomes."""

from __future__ import annotations

import os
import struct
from datetime import date, timedelta
from pathlib import Path

import certifi
import pytest

from rules.model import AnomalyRule, Budget, Route, Selector, Severity
from rules.periods import Starts
from rules.routes import every
from rules.thresholds import Threshold
from watcher.config import is_loopback, load
from watcher.pricing import OwnPrice
from watcher.secret import Secret
from watcher.settings import (
    ConsoleSettings,
    HeartbeatSettings,
    HttpSettings,
    PollSettings,
    Settings,
    SlackSettings,
    WaySettings,
    WebhookSettings,
)

KEY = "sk-ant-admin01-test"
ANY = 0xFFFFFFFF
"""Of an entry of an access control list: that it names nobody in particular."""

MINIMAL = f'[anthropic]\nadmin_key = "{KEY}"\n'
TOLD = """
[[budget]]
name = "all"
limit_usd = 1
[[receiver]]
name = "terminal"
type = "console"
[[route]]
receiver = "terminal"
"""


def settings_of(folder: Path, document: str, env: dict[str, str] | None = None) -> Settings:
    path = folder / "config.toml"
    path.write_text(document, encoding="utf-8")
    path.chmod(0o600)
    return load(path, env or {})


def budget_of(folder: Path, lines: str, env: dict[str, str] | None = None) -> Budget:
    return settings_of(folder, f'{MINIMAL}[[budget]]\nname = "b"\n{lines}\n', env).budgets[0]


def test_an_admin_key_is_all_that_is_needed(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, MINIMAL)
    assert settings.organizations[0].base_url == "https://api.anthropic.com"
    assert settings.organizations[0].admin_key == Secret(KEY)
    assert settings.store.url == f"sqlite:///{tmp_path}/watcher.db"
    assert settings.store.path == tmp_path / "watcher.db"
    assert settings.store.keep == timedelta(days=400)
    assert settings.http == HttpSettings("127.0.0.1", 9477)
    assert settings.poll == PollSettings(timedelta(minutes=5), timedelta(hours=1), timedelta(days=60))
    assert (settings.budgets, settings.anomalies, settings.receivers, settings.routes) == ((), (), (), ())
    assert settings.heartbeat is None
    assert settings.path == tmp_path / "config.toml"


def test_every_setting_arrives(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        MINIMAL
        + """
        base_url = "http://127.0.0.1:8787/api/"
        proxy = "http://user:word@proxy.example:3128"
        [store]
        url = "postgresql://user:word@db.example:5433/watcher?sslmode=require"
        keep = "2w30d"
        [http]
        listen = "[::1]:0"
        [poll]
        usage_every = "1m30s"
        cost_every = "2h"
        backfill = "30d"
        [heartbeat]
        url = "http://10.0.0.1/ping"
        allow_private = true
        [[budget]]
        name = "b"
        period = "week"
        timezone = "Asia/Kolkata"
        limit_usd = 0.1
        thresholds = [12.5, 100]
        per = ["model", "workspace"]
        select = { workspace = "prod-*", api_key = "apikey_01", model = "claude-[a-z]*" }
        for = "0s"
        [[anomaly]]
        name = "a"
        per = ["workspace"]
        select = { model = "*opus*" }
        min_excess_usd = "2.50"
        for = "1h"
        keep_firing_for = "0s"
        severity = "critical"
        [[receiver]]
        name = "s"
        type = "slack"
        url = "http://127.0.0.1:1/hook"
        allow_private = true
        [[receiver]]
        name = "w"
        type = "webhook"
        url = "https://hook.example/x?y=z"
        [[receiver]]
        name = "c"
        type = "console"
        [[route]]
        receiver = "w"
        [[route]]
        receiver = "s"
        [[route]]
        receiver = "c"
        """,
    )
    assert settings.organizations[0].base_url == "http://127.0.0.1:8787/api"
    assert settings.organizations[0].proxy == Secret("http://user:word@proxy.example:3128")
    assert settings.store.url == "postgresql+psycopg://user:word@db.example:5433/watcher?sslmode=require"
    assert (settings.store.path, settings.store.keep) == (None, timedelta(days=44))
    assert settings.store.shown == "postgresql+psycopg://db.example:5433/watcher"
    assert settings.http == HttpSettings("::1", 0)
    assert settings.poll == PollSettings(timedelta(seconds=90), timedelta(hours=2), timedelta(days=30))
    assert settings.heartbeat == HeartbeatSettings(Secret("http://10.0.0.1/ping"), WaySettings(allow_private=True))
    assert settings.budgets == (
        Budget(
            name="b",
            period="week",
            timezone="Asia/Kolkata",
            limit=100_000_000,
            thresholds=(12.5, 100.0),
            per=("workspace", "model"),
            select=Selector("prod-*", "apikey_01", "claude-[a-z]*"),
        ),
    )
    assert settings.anomalies == (
        AnomalyRule(
            name="a",
            per=("workspace",),
            select=Selector(model="*opus*"),
            min_excess=2_500_000_000,
            hold_for=timedelta(hours=1),
            keep_firing_for=timedelta(0),
            severity=Severity.CRITICAL,
        ),
    )
    assert settings.receivers == (
        SlackSettings("s", Secret("http://127.0.0.1:1/hook"), WaySettings(allow_private=True)),
        WebhookSettings("w", Secret("https://hook.example/x?y=z")),
        ConsoleSettings("c"),
    )
    assert settings.routes == (Route("w"), Route("s"), Route("c"))
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("written", "nano"),
    [
        ("10000", 10_000_000_000_000),
        ("0.1", 100_000_000),
        ("49.999999999", 49_999_999_999),
        ('"1234.56"', 1_234_560_000_000),
        ('" 7 "', 7_000_000_000),
        ("1e3", 1_000_000_000_000),
        ('"${LIMIT}"', 80_500_000_000),
    ],
)
def test_money_is_exact_however_it_is_written(tmp_path: Path, written: str, nano: int) -> None:
    assert budget_of(tmp_path, f"limit_usd = {written}", {"LIMIT": "80.50"}).limit == nano


@pytest.mark.parametrize("pattern", ["*", "a?c", "[abc]x", "[!a]*", "[]]", "[!]]", "[[]", "a]b", "[a-]", "[a-z0-9]"])
def test_patterns_that_can_match_are_taken_as_they_are(tmp_path: Path, pattern: str) -> None:
    assert budget_of(tmp_path, f"limit_usd = 1\nselect = {{ api_key = '{pattern}' }}").select.api_key == pattern


def test_relative_paths_begin_at_the_config_file_and_absolute_ones_at_the_root(tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "watcher"
    folder.mkdir(parents=True)
    assert settings_of(folder, MINIMAL + '[store]\nurl = "sqlite:///data/w.db"').store.path == folder / "data/w.db"
    assert settings_of(folder, MINIMAL + '[store]\nurl = "sqlite:////var/w.db"').store.path == Path("/var/w.db")


def test_a_relative_config_file_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text(MINIMAL)
    monkeypatch.chdir(tmp_path)
    settings = load(Path("config.toml"), {})
    assert settings.path == tmp_path / "config.toml"
    assert settings.store.path == tmp_path / "watcher.db"


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secrets = {
        "key": KEY,
        "proxy": "http://proxy.example:1",
        "store": "postgresql://u:p@h/d",
        "beat": "https://beat.example/x",
        "slack": "https://hooks.slack.com/services/x",
        "hook": "https://hook.example/x",
    }
    for name, secret in secrets.items():
        (tmp_path / name).write_text(f"\ufeff {secret} \r\n", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    settings = settings_of(
        tmp_path,
        f"""
        [anthropic]
        admin_key_file = "{tmp_path}/key"
        proxy_file = "proxy"
        [store]
        url_file = "store"
        [heartbeat]
        url_file = "${{HERE:-.}}/beat"
        [[receiver]]
        name = "s"
        type = "slack"
        url_file = "slack"
        [[receiver]]
        name = "w"
        type = "webhook"
        url_file = "hook"
        [[route]]
        receiver = "s"
        [[route]]
        receiver = "w"
        [[budget]]
        name = "b"
        limit_usd = 1
        """,
    )
    slack, hook = settings.receivers
    assert isinstance(slack, SlackSettings)
    assert isinstance(hook, WebhookSettings)
    assert settings.heartbeat is not None
    (organization,) = settings.organizations
    assert organization.proxy is not None
    found = [organization.admin_key, organization.proxy, settings.heartbeat.url, slack.url, hook.url]
    assert [one.reveal() for one in found] == [secrets[name] for name in ("key", "proxy", "beat", "slack", "hook")]
    assert settings.store.url == "postgresql+psycopg://u:p@h/d"
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("document", "phrase"),
    [
        (MINIMAL, "there is no [[budget]] and no [[anomaly]]"),
        (MINIMAL, "there is no [[receiver]]"),
        (MINIMAL + TOLD.replace("[[route]]\nreceiver", "[[receiver]]\ntype = 'console'\nname").replace(
            '"terminal"', '"a"', 1), 'receiver[0]: no [[route]] names "a"'),
        (
            MINIMAL + '[[budget]]\nname = "b"\nlimit_usd = 5\nthresholds = [0.5, 0.8, 1]\n',
            "budget[0].thresholds: these are percent, so 0.5 %, 0.8 %, 1 % of the limit",
        ),
        (MINIMAL + '[store]\nkeep = "7d"\n[poll]\nbackfill = "7d"', "store.keep: monthly budgets"),
        (MINIMAL.replace("sk-ant-admin01", "sk-ant-oat01") + TOLD, "anthropic.admin_key: does not begin with"),
    ],
)  # fmt: skip
def test_what_is_valid_and_probably_not_meant_gives_a_warning(tmp_path: Path, document: str, phrase: str) -> None:
    assert any(phrase in warning for warning in settings_of(tmp_path, document).warnings)


def test_nothing_is_said_of_a_configuration_that_tells_somebody_something(tmp_path: Path) -> None:
    assert settings_of(tmp_path, MINIMAL + TOLD).warnings == ()


def test_a_secret_file_that_others_may_read_gives_a_warning(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o640)
    (warning,) = settings_of(tmp_path, '[anthropic]\nadmin_key_file = "key"' + TOLD).warnings
    assert warning.startswith("anthropic.admin_key_file: ")
    assert "chmod 600" in warning


def test_a_secret_file_that_an_access_list_opens_to_somebody_gives_none(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o400)
    owner, user, group, mask, other = (1, 4, ANY), (2, 4, 10001), (4, 0, ANY), (16, 4, ANY), (32, 0, ANY)
    entries = b"".join(struct.pack("<HHI", *entry) for entry in (owner, user, group, mask, other))
    try:
        os.setxattr(tmp_path / "key", "system.posix_acl_access", struct.pack("<I", 2) + entries)
    except (OSError, AttributeError):
        pytest.skip("this file system has no access control lists")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o440
    assert settings_of(tmp_path, '[anthropic]\nadmin_key_file = "key"' + TOLD).warnings == ()


def test_a_secret_in_a_config_file_that_others_may_read_gives_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL + TOLD)
    path.chmod(0o644)
    (warning,) = load(path, {}).warnings
    assert warning.startswith("anthropic.admin_key: the secret stands in ")
    path.write_text(MINIMAL.replace(KEY, "${KEY}") + TOLD)
    assert load(path, {"KEY": KEY}).warnings == ()


def test_a_database_url_without_a_password_is_not_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL.replace(KEY, "${KEY}") + '[store]\nurl = "sqlite:///w.db"\n' + TOLD)
    path.chmod(0o644)
    assert load(path, {"KEY": KEY}).warnings == ()
    path.write_text(path.read_text().replace("sqlite:///w.db", "postgresql://u:p@h/d"))
    (warning,) = load(path, {"KEY": KEY}).warnings
    assert warning.startswith("store.url: the secret stands in ")


def test_a_byte_order_mark_and_other_line_ends_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(path, {}).organizations[0].admin_key == Secret(KEY)


def test_the_company_certificates_are_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    settings = settings_of(tmp_path, MINIMAL + 'ca_file = "ca.pem"')
    assert settings.organizations[0].ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1/x", "http://LOCALHOST:2"])
def test_this_machine_may_be_asked_over_http(tmp_path: Path, url: str) -> None:
    settings = settings_of(tmp_path, MINIMAL + f'base_url = "{url}"')
    assert settings.organizations[0].base_url == url
    assert is_loopback(url)


@pytest.mark.parametrize("url", ["https://api.anthropic.com", "http://127.1", "http://[::ffff:127.0.0.1]", "http://0"])
def test_other_machines_and_odd_spellings_are_not_loopback(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0)
    with pytest.raises(Exception, match="Permission denied"):
        settings_of(tmp_path, '[anthropic]\nadmin_key_file = "key"')


def test_a_line_end_around_a_secret_is_not_part_of_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, MINIMAL.replace(KEY, "${KEY}"), {"KEY": f"{KEY}\n"})
    assert settings.organizations[0].admin_key == Secret(KEY)


def test_a_price_becomes_pico_dollars_a_token_and_a_search(tmp_path: Path) -> None:
    document = f"""{MINIMAL}[[price]]
model = "claude-opus-*"
from = "2026-11-01"
to = 2027-11-01
uncached_input = 3.60
cache_read = "0.000001"
output = 18
web_search_per_1000 = 9
"""
    (price,) = settings_of(tmp_path, document).prices
    assert price == OwnPrice(
        "claude-opus-*",
        (3_600_000, 1, None, None, 18_000_000, 9_000_000_000),
        date(2026, 11, 1),
        date(2027, 11, 1),
    )


def test_prices_keep_their_order_as_the_first_counts(tmp_path: Path) -> None:
    tables = "".join(f'[[price]]\nmodel = "{model}"\noutput = 1\n' for model in ("claude-opus-5", "*"))
    assert [price.model for price in settings_of(tmp_path, MINIMAL + tables).prices] == ["claude-opus-5", "*"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('period = "hour"', ("hour", Starts(), None, None)),
        ('period = "rolling 24h"', ("rolling", Starts(), None, timedelta(hours=24))),
        ('period = "rolling 7d"', ("rolling", Starts(), None, timedelta(days=7))),
        ("billing_day = 31", ("month", Starts(day=31), None, None)),
        ('period = "quarter"', ("quarter", Starts(), None, None)),
        ('period = "quarter"\nyear_start = "february"', ("quarter", Starts(month=2), None, None)),
        ('period = "year"\nyear_start = "april"\nbilling_day = 6', ("year", Starts(day=6, month=4), None, None)),
        ("from = 2026-11-01\nuntil = 2027-11-02", ("once", Starts(), (date(2026, 11, 1), date(2027, 11, 2)), None)),
        ('period = "week"\nweek_start = "sunday"', ("week", Starts(weekday=6), None, None)),
        (
            "from = 2026-11-01\nuntil = 2027-01-06",
            ("once", Starts(), (date(2026, 11, 1), date(2027, 1, 6)), None),
        ),
    ],
)
def test_periods_begin_and_end_as_the_file_says(tmp_path: Path, lines: str, expected: object) -> None:
    found = budget_of(tmp_path, f"limit_usd = 5\n{lines}")
    assert (found.period, found.starts, found.dates, found.window) == expected


def test_thresholds_are_percents_or_amounts_with_a_severity_of_their_own_where_one_is_given(tmp_path: Path) -> None:
    marks = '[50, { at = 80 }, { at = 90.5, severity = "critical" }, { at_usd = "99.99" }]'
    found = budget_of(tmp_path, f"limit_usd = 100\nthresholds = {marks}").thresholds
    critical = Threshold(percent=90.5, severity=Severity.CRITICAL)
    assert found == (50.0, 80.0, critical, Threshold(amount=99_990_000_000))


@pytest.mark.parametrize(
    "chosen",
    [
        '{ model_family = "Opus", model = "claude-opus-5" }',
        '{ model_family = "opus", model = "claude-*" }',
        '{ model_family = "titan" }',
        '{ api_key = "console", user = "*" }',
        '{ api_key = "console", user = "console", workspace = "default" }',
        '{ workspace = "default", tag = "team=(none)" }',
        '{ api_key = "unattributed", user = "unattributed" }',
        '{ api_key = "con*", user = "*@team.example" }',
    ],
)
def test_a_selector_that_something_may_match_is_no_contradiction(tmp_path: Path, chosen: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[anthropic]\nadmin_key = "sk-ant-admin01-x"\n[[budget]]\nname = "b"\nlimit_usd = 1\nselect = {chosen}\n'
    )
    assert len(load(path, {}).budgets) == 1


def test_a_route_is_known_by_its_matchers_wherever_it_stands(tmp_path: Path) -> None:
    inner = '[[route.routes]]\nmatch = ["kind=anomaly", "severity=critical"]\n'
    route = f'[[route]]\nreceiver = "terminal"\nmatch = ["workspace=w"]\n{inner}'
    alone = settings_of(tmp_path, MINIMAL + TOLD.replace("[[route]]", "[[route]]\nmatch = ['severity=info']"))
    two = settings_of(tmp_path, MINIMAL + TOLD.partition("[[route]]")[0] + route)
    both = settings_of(
        tmp_path,
        MINIMAL + TOLD + route.replace('"kind=anomaly", "severity=critical"', "'severity=critical', 'kind=anomaly'"),
    )
    places = [[each.place for each in every(settings.routes)] for settings in (alone, two, both)]
    assert places[2][1:] == places[1]
    assert len({*places[0], *places[1], *places[2]}) == 4
