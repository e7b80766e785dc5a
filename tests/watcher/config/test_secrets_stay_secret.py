"""A canary for every secret setting: it appears in no repr, no sentence and no error, whether all is well or not."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import pytest

from watcher.config import InvalidConfig, check, load
from watcher.config.models import SEVERAL, SINGLE, keys_of

CANARY = "c4n4ry"
SECRETS = {
    "KEY": f"sk-ant-admin01-{CANARY}",
    "PROXY": f"http://user:{CANARY}@proxy.example:1",
    "STORE": f"postgresql://user:{CANARY}@db.example/watcher?password={CANARY}",
    "BEAT": f"https://beat.example/{CANARY}",
    "SLACK": f"https://hooks.slack.com/services/{CANARY}",
    "HOOK": f"https://hook.example/{CANARY}?token={CANARY}",
    "SIGN": f"whsec_{CANARY * 6}",
    "CLUSTER": f"https://a.example/{CANARY} https://b.example/{CANARY}",
    "PASSWORD": f"{CANARY}-word",
    "TOKEN": f"{CANARY}-token",
    "SMTP": f"{CANARY}-smtp",
    "CHAT": f"tgram://{CANARY}/1 json://h.example/{CANARY}",
    "BOT": f"xoxb-1-{CANARY}",
    "APP": f"xapp-1-{CANARY}",
    "ROUTING": CANARY * 5 + "xx",
    "ACTION": f"sk-ant-admin01-act-{CANARY}",
}
DOCUMENT = """
[anthropic]
admin_key = "${KEY}"
proxy = "${PROXY}"
[store]
url = "${STORE}"
[heartbeat]
url = "${BEAT}"
[[budget]]
name = "b"
limit_usd = 1
[[receiver]]
name = "s"
type = "slack"
url = "${SLACK}"
[[receiver]]
name = "s2"
type = "slack"
bot_token = "${BOT}"
app_token = "${APP}"
channel = "C0123456789"
[[receiver]]
name = "w"
type = "webhook"
url = "${HOOK}"
secret = "${SIGN}"
[[receiver]]
name = "a"
type = "alertmanager"
url = "${CLUSTER}"
username = "u"
password = "${PASSWORD}"
[[receiver]]
name = "a2"
type = "alertmanager"
url = "https://a.example"
token = "${TOKEN}"
[[receiver]]
name = "p"
type = "pagerduty"
routing_key = "${ROUTING}"
[[receiver]]
name = "c"
type = "apprise"
url = "${CHAT}"
[[receiver]]
name = "m"
type = "email"
host = "smtp.example"
from = "a@b.example"
to = ["c@d.example"]
username = "u"
password = "${SMTP}"
[[route]]
receiver = "s"
[shutoff]
mode = "auto"
action_key = "${ACTION}"
"""
# Each variable brings one ruined secret after the other; all hold the canary, and none is right everywhere.
RUINED = [
    CANARY,
    f" {CANARY} {CANARY}",
    f"{CANARY}\n{CANARY}",
    f"sk-ant-api03-{CANARY}",
    f"http://{CANARY}",
    f"https://{CANARY}@h.example/#{CANARY}",
    f"https://h.example:{CANARY}/",
    f"https://[{CANARY}]/",
    f"https://0x7f.{CANARY}.1/",
    f"ftp://{CANARY}",
    f"mysql://user:{CANARY}@h/d",
    f"postgresql://user:{CANARY}@h",
    f"postgresql://user:p@h:{CANARY}/d",
    f"xoxb-{CANARY} {CANARY}",
    f"\x00{CANARY}",
    f"\u202e{CANARY}",
]


def assert_hidden(*texts: object) -> None:
    for text in texts:
        assert CANARY not in str(text)
        assert CANARY not in repr(text)


def assert_load_hides(path: Path, env: dict[str, str]) -> None:
    try:
        settings = load(path, env)
    except InvalidConfig as invalid:
        assert_hidden(invalid, *invalid.problems, "".join(traceback.format_exception(invalid)))
    else:
        assert_hidden(settings)
    report = check(path, env)
    assert_hidden(report, *report.sentences, *report.warnings)


def test_the_canaries_stand_for_every_secret_setting() -> None:
    tables = [(table,) for table in SINGLE.values()] + list(SEVERAL.values())
    names = {key for table in tables for key in keys_of(table) if f"{key}_file" in keys_of(table)}
    assert names == {
        "action_key",
        "admin_key",
        "app_token",
        "bot_token",
        "password",
        "proxy",
        "routing_key",
        "secret",
        "token",
        "url",
    }
    assert all(f"${{{variable}}}" in DOCUMENT for variable in SECRETS)


@pytest.mark.parametrize("inline", [False, True])
def test_no_secret_shows_when_all_is_well(tmp_path: Path, inline: bool) -> None:
    path = tmp_path / "config.toml"
    document = DOCUMENT
    if inline:
        for name, secret in SECRETS.items():
            document = document.replace(f"${{{name}}}", secret)
    path.write_text(document)
    assert load(path, SECRETS).organizations[0].admin_key.reveal() == SECRETS["KEY"]
    assert_load_hides(path, SECRETS)


@pytest.mark.parametrize("ruined", RUINED)
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_shows_when_it_is_wrong_itself(tmp_path: Path, name: str, ruined: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(DOCUMENT)
    assert_load_hides(path, SECRETS | {name: ruined})
    (tmp_path / "secret").write_text(ruined)
    path.write_text(re.sub(rf'^(\w+) = "\$\{{{name}\}}"$', r'\1_file = "secret"', DOCUMENT, flags=re.MULTILINE))
    assert_load_hides(path, SECRETS)


def test_no_secret_shows_where_a_variable_that_holds_one_is_used_by_mistake(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    wrong = "${KEY}"
    path.write_text(
        DOCUMENT.replace('name = "b"', f'name = "b"\nperiod = "{wrong}"\ntimezone = "{wrong}"\nper = ["{wrong}"]')
        .replace("limit_usd = 1", f'limit_usd = "{wrong}"\nthresholds = ["{wrong}"]\nfor = "{wrong}"')
        .replace('receiver = "s"', f'receiver = "{wrong}"')
        .replace('type = "webhook"', f'type = "{wrong}"')
        + f'[http]\nlisten = "{wrong}"\n[poll]\nusage_every = "{wrong}"\n'
    )
    with pytest.raises(InvalidConfig) as caught:
        load(path, SECRETS)
    assert len(caught.value.problems) == 10
    assert_load_hides(path, SECRETS)


def test_a_secret_that_is_written_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for secret in (SECRETS["KEY"], SECRETS["SLACK"]):
        path.write_text(DOCUMENT + f'[http]\nlisten = "{secret}"\n[store2]\n"{secret}" = 1\n["{secret}"]\n')
        assert_load_hides(path, SECRETS)


def test_a_name_that_came_from_a_variable_is_suggested_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    document = DOCUMENT.replace('name = "s"', 'name = "${NAME}"').replace('receiver = "s"', 'receiver = "c4n4rx"')
    path.write_text(document)
    with pytest.raises(InvalidConfig, match=r'did you mean "\$\{NAME\}"\?'):
        load(path, SECRETS | {"NAME": CANARY})
    assert_load_hides(path, SECRETS | {"NAME": CANARY})
