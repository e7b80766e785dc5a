"""Every way a configuration can be wrong: the place it names, and what the sentence says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from watcher.config import InvalidConfig, Problem, load

ENV = {"SECRET": "https://hooks.slack.com/services/T0/B0/c4n4ry", "EMPTY": "", "BINARY": "\udcff"}

GOOD = """
[anthropic]
admin_key = "sk-ant-admin01-test"
[[budget]]
name = "platform"
limit_usd = 100
[[anomaly]]
name = "keys"
[[receiver]]
name = "ops"
type = "slack"
url = "${SECRET}"
[[route]]
receiver = "ops"
"""


def budget(lines: str) -> str:
    return GOOD.replace("limit_usd = 100\n", f"limit_usd = 100\n{lines}\n")


def console(lines: str) -> str:
    return GOOD.replace("limit_usd = 100\n", f'limit = "console"\n{lines}\n')


def tokens(value: str, lines: str = "") -> str:
    return GOOD.replace("limit_usd = 100\n", f"limit_tokens = {value}\n{lines}\n")


def requests(value: str, lines: str = "") -> str:
    return GOOD.replace("limit_usd = 100\n", f"limit_requests = {value}\n{lines}\n")


def code(lines: str) -> str:
    return budget(f'source = "claude_code"\n{lines}')


def limit(value: str) -> str:
    return GOOD.replace("limit_usd = 100", f"limit_usd = {value}")


def anomaly(lines: str) -> str:
    return GOOD.replace('name = "keys"\n', f'name = "keys"\n{lines}\n')


def mail(lines: str) -> str:
    return receiver(f'type = "email"\nhost = "h"\nfrom = "w@x"\nto = ["a@b"]\n{lines}')


def receiver(lines: str) -> str:
    return GOOD.replace('type = "slack"\nurl = "${SECRET}"\n', f"{lines}\n")


def anthropic(lines: str) -> str:
    return GOOD.replace('admin_key = "sk-ant-admin01-test"\n', f"{lines}\n")


def price(lines: str) -> str:
    return GOOD + f'[[price]]\nmodel = "claude-*"\n{lines}\n'


def interval(lines: str) -> str:
    return GOOD + f'[[time_interval]]\nname = "nights"\n{lines}\n'


def route(lines: str) -> str:
    return GOOD + f'[[receiver]]\nname = "b"\ntype = "console"\n[[route]]\nreceiver = "b"\n{lines}\n'


def shutoff(lines: str, document: str = GOOD) -> str:
    return f"{document}[shutoff]\n{lines}\n"


def acting(lines: str) -> str:
    return budget('thresholds = [{ at = 100, action = "deactivate_key" }]') + lines


def organization(lines: str) -> str:
    return GOOD.replace("[anthropic]", "[[organization]]").replace("admin_key =", f'name = "a"\n{lines}\nadmin_key =')


def key_and(lines: str) -> str:
    return GOOD.replace("[[budget]]", f"{lines}\n[[budget]]", 1)


BROKEN: list[tuple[str, str, str]] = [
    # tables: unknown, wrong brackets, no tables at all
    (GOOD + "[pol]\n", "pol", 'did you mean "poll"?'),
    ("[[budgets]]\nname = 'x'\n" + GOOD, "budgets", 'did you mean "budget"?'),
    ("xyzzy = 1\n" + GOOD, "xyzzy", "this file has anomaly, anthropic, budget"),
    ('"\\u001b[31m" = 1\n' + GOOD, '"\N{REPLACEMENT CHARACTER}[31m"', "is not a setting"),
    (GOOD.replace("[[budget]]", "[budget]"), "budget", "write [[budget]], in double brackets"),
    (GOOD.replace("[anthropic]", "[[anthropic]]"), "anthropic", "write [anthropic], in single brackets"),
    ("store = 5\n" + GOOD, "store", "must be a table: write [store]"),
    ("heartbeat = []\n" + GOOD, "heartbeat", "must be a table: write [heartbeat]"),
    (GOOD + "[[route]]\n", "route[1].receiver", "is missing: write it, as in receiver"),
    ("anomaly = 'on'\n" + GOOD.replace("[[anomaly]]", "[poll]").replace('name = "keys"', ""), "anomaly", "[[anomaly]]"),
    ("route = [5]\n" + GOOD.replace('[[route]]\nreceiver = "ops"\n', ""), "route[0]", "not 5"),
    # keys: unknown, missing, wrong type
    (anthropic('admin_key = "sk-ant-admin01-x"\nadmin_key_fle = "x"'), "anthropic.admin_key_fle", '"admin_key_file"'),
    (budget("limit = 5"), "budget[0].limit", 'must be "console", not 5'),
    (
        budget("xyzzy = 5"),
        "budget[0].xyzzy",
        "billing_day, burn_rate, customer_type, for, forecast, from, limit, limit_requests",
    ),
    (budget('select = { workspce = "x" }'), "budget[0].select.workspce", 'did you mean "workspace"?'),
    (GOOD.replace("limit_usd = 100", ""), "budget[0].limit_usd", "is missing: write it, as in limit_usd = 10000"),
    (GOOD.replace('name = "platform"', ""), "budget[0].name", 'is missing: write it, as in name = "organization"'),
    (budget('per = "api_key"'), "budget[0].per", 'must be a list, as in per = ["workspace"]'),
    (budget('select = "prod"'), "budget[0].select", "must be a table, as in select = {"),
    (key_and("[http]\nlisten = 9477"), "http.listen", "must be a text in quotation marks"),
    (key_and("[poll]\nusage_every = 300"), "poll.usage_every", "a text with a unit"),
    # prices
    (price(""), "price[0]", "names no price: write one, as in output = 18"),
    (price("output = 0"), "price[0].output", "must be more than 0"),
    (price("output = 0.0000001"), "price[0].output", "from 0.000001 to 100000"),
    (price("output = 100001"), "price[0].output", "from 0.000001 to 100000"),
    (price("output = -1"), "price[0].output", "must be more than 0"),
    (price("output = 1\nfrom = 'soon'"), "price[0].from", 'must be a date such as "2026-11-01", not "soon"'),
    (price("output = 1\nfrom = 2026-11-01T00:00:00Z"), "price[0].from", "must be a date such as"),
    (price("output = 1\nfrom = 2026-11-02\nto = 2026-11-02"), "price[0].to", "must be after `from`"),
    (price("outptu = 1"), "price[0].outptu", 'did you mean "output"?'),
    (GOOD + "[[price]]\noutput = 1\n", "price[0].model", "is missing: write it, as in model"),
    (GOOD + "[price]\nmodel = 'x'\noutput = 1\n", "price", "write [[price]], in double brackets"),
    # variables
    (GOOD.replace("${SECRET}", "${NO_SUCH}"), "receiver[0].url", "the environment variable NO_SUCH is not set"),
    (GOOD.replace("${SECRET}", "$SECRET"), "receiver[0].url", "with braces: ${SECRET}"),
    (GOOD.replace("${SECRET}", "${SEC-RET}"), "receiver[0].url", "not ${NAME} or ${NAME:-default}"),
    (GOOD.replace("${SECRET}", "${A:-${SECRET}}"), "receiver[0].url", "not ${NAME} or ${NAME:-default}"),
    (GOOD.replace("${SECRET}", "${SECRET"), "receiver[0].url", "$$ stands for a dollar sign"),
    (GOOD.replace("${SECRET}", "${EMPTY}"), "receiver[0].url", "must not be empty"),
    (GOOD.replace("${SECRET}", "${BINARY}"), "receiver[0].url", "is not UTF-8 text"),
    (budget('per = ["${NO_SUCH}"]'), "budget[0].per[0]", "NO_SUCH is not set"),
    # how to reach the API
    (
        GOOD.replace("[anthropic]\nadmin_key = ", "[store]\nurl = ").replace("sk-ant-admin01-test", "sqlite:///x.db"),
        "anthropic.admin_key",
        'write admin_key = "${ANTHROPIC_ADMIN_KEY}", or admin_key_file',
    ),
    (anthropic('admin_key = ""'), "anthropic.admin_key", "must not be empty"),
    (anthropic("admin_key = 12345"), "anthropic.admin_key", "must be a text in quotation marks"),
    (anthropic('admin_key = "sk-ant-api03-x"'), "anthropic.admin_key", "is an ordinary API key"),
    (anthropic('admin_key = "sk-ant-admin01 x"'), "anthropic.admin_key", "without blanks"),
    (anthropic('admin_key = "a"\nadmin_key_file = "b"'), "anthropic.admin_key_file", "keep one of the two"),
    (anthropic('admin_key_file = "no/such"'), "anthropic.admin_key_file", "there is no such file"),
    (anthropic('admin_key_file = "."'), "anthropic.admin_key_file", "which is a folder"),
    (anthropic('admin_key_file = "empty"'), "anthropic.admin_key_file", "which is empty"),
    (anthropic('admin_key_file = "two-lines"'), "anthropic.admin_key_file", "more than the one line"),
    (anthropic('admin_key_file = "binary"'), "anthropic.admin_key_file", "does not hold plain text"),
    (anthropic('admin_key_file = "~/key"'), "anthropic.admin_key_file", "${HOME}"),
    (anthropic('admin_key_file = "a\\u0000b"'), "anthropic.admin_key_file", "not a path"),
    (anthropic('admin_key = "k"\nbase_url = "http://api.anthropic.com"'), "anthropic.base_url", "must be https"),
    (anthropic('admin_key = "k"\nbase_url = "http://127.0.0.1.evil.example"'), "anthropic.base_url", "must be https"),
    (anthropic('admin_key = "k"\nbase_url = "http://127.1"'), "anthropic.base_url", "usual four numbers"),
    (anthropic('admin_key = "k"\nbase_url = "http://[::ffff:127.0.0.1]"'), "anthropic.base_url", "must be https"),
    (anthropic('admin_key = "k"\nbase_url = "http://localhost@evil.example"'), "anthropic.base_url", "must be https"),
    (anthropic('admin_key = "k"\nbase_url = "https://u:p@h.example"'), "anthropic.base_url", "no user and no password"),
    (anthropic('admin_key = "k"\nbase_url = "https://h.example?x=1"'), "anthropic.base_url", "no ? and no #"),
    (anthropic('admin_key = "k"\nbase_url = "https://h.example/v1/"'), "anthropic.base_url", 'end before "/v1"'),
    (anthropic('admin_key = "k"\nbase_url = "https://h.example:x"'), "anthropic.base_url", "an address such as"),
    (anthropic('admin_key = "k"\nbase_url = "ftp://h.example"'), "anthropic.base_url", 'begin with "https://"'),
    (anthropic('admin_key = "k"\nbase_url = "https://h .example"'), "anthropic.base_url", "without blanks"),
    (anthropic('admin_key = "k"\nproxy = "socks5://h:1"'), "anthropic.proxy", "other kinds of proxy"),
    (anthropic('admin_key = "k"\nproxy = "h"\nproxy_file = "x"'), "anthropic.proxy_file", "keep one of the two"),
    (anthropic('admin_key = "k"\nca_file = "no/such"'), "anthropic.ca_file", "cannot be read: No such file"),
    (anthropic('admin_key = "k"\nca_file = "two-lines"'), "anthropic.ca_file", "in PEM form"),
    # the database, the page, the sources, the heartbeat
    (key_and('[store]\nurl = "mysql://a/b"'), "store.url", "no other database is supported"),
    (key_and('[store]\nurl = "postgres://a/b"'), "store.url", 'must begin with "postgresql://"'),
    (key_and('[store]\nurl = "postgresql://host"'), "store.url", "name a host and a database"),
    (key_and('[store]\nurl = "sqlite:///:memory:"'), "store.url", "in memory forgets"),
    (key_and('[store]\nurl = "sqlite:watcher.db"'), "store.url", 'must be "sqlite:///watcher.db"'),
    (key_and('[store]\nurl = "sqlite://watcher.db"'), "store.url", "three slashes"),
    (key_and('[store]\nurl = "sqlite:///."'), "store.url", "names a folder"),
    (key_and('[store]\nurl = "sqlite:///a.db?mode=ro"'), "store.url", "a path without ? and %"),
    (key_and('[store]\nurl = "sqlite:///a.db"\nurl_file = "x"'), "store.url_file", "keep one of the two"),
    (key_and('[store]\nkeep = "1h"'), "store.keep", "must be at least 1d"),
    (key_and(f'[store]\nurl = "sqlite:///{"x" * 300}"'), "store.url", "File name too long"),
    (key_and('[store]\nkeep = "40d"'), "poll.backfill", "store.keep is 40d"),
    (key_and('[http]\nlisten = "0.0.0.0:9477"\nbehind_proxy = true'), "http.listen", "set `token`, or `username`"),
    (key_and(f'[http]\nlisten = "10.1.2.3:9477"\ntoken = "{"t" * 16}"'), "http.listen", "`behind_proxy = true`"),
    (key_and('[http]\nlisten = "watcher.example:9477"'), "http.listen", "an address in numbers, or localhost"),
    (key_and('[http]\nlisten = "[::ffff:127.0.0.1]:9477"'), "http.listen", "an address in numbers, or localhost"),
    (key_and('[http]\ntoken = "short"'), "http.token", "at least 16 characters"),
    (key_and('[http]\ntoken = "a token that has blanks"'), "http.token", "without blanks"),
    (key_and('[http]\nusername = "prometheus"'), "http.password", "is missing"),
    (key_and('[http]\npassword = "longenough12"'), "http.username", "is missing"),
    (key_and('[http]\nusername = "a:b"\npassword = "longenough12"'), "http.username", "no colon"),
    (key_and('[http]\nusername = "a"\npassword = "short"'), "http.password", "at least 12 characters"),
    (key_and('[http]\ntls_key_file = "/nowhere"'), "http.tls_certificate_file", "is missing"),
    (
        key_and('[http]\ntls_key_file = "/nowhere"\ntls_certificate_file = "/nowhere"'),
        "http.tls_certificate_file",
        "cannot be read",
    ),
    (
        key_and('[http]\ntls_key_file = "config.toml"\ntls_certificate_file = "config.toml"'),
        "http.tls_certificate_file",
        "must name a certificate in PEM form",
    ),
    (key_and('[http]\nhosts = ["watcher.example:80"]'), "http.hosts[0]", "without a port"),
    (key_and('[http]\nhosts = ["*"]'), "http.hosts[0]", "without a port"),
    (key_and('[http]\nbehind_proxy = "yes"'), "http.behind_proxy", "true or false"),
    (key_and("[metrics]\ntop = 0"), "metrics.top", "from 1 to 100"),
    (key_and('[metrics]\nper = ["key"]'), "metrics.per[0]", '"api_key"'),
    (key_and('[metrics]\nper = ["model", "model"]'), "metrics.per", "twice"),
    (key_and('[http]\nlisten = ":9477"'), "http.listen", 'such as "127.0.0.1:9477"'),
    (key_and('[http]\nlisten = "127.0.0.1"'), "http.listen", "must be host and port"),
    (key_and('[http]\nlisten = "127.0.0.1:70000"'), "http.listen", "ports end at 65535"),
    (key_and('[poll]\nusage_every = "5s"'), "poll.usage_every", "at least 1m"),
    (key_and('[poll]\nusage_every = "7h"'), "poll.usage_every", "at most 6h"),
    (key_and('[poll]\nusage_every = "-5m"'), "poll.usage_every", "must not be negative"),
    (key_and('[poll]\nusage_every = "5 minutes"'), "poll.usage_every", 'such as "90s", "5m"'),
    (key_and('[poll]\ncost_every = "0s"'), "poll.cost_every", "at least 5m"),
    (key_and('[poll]\nbackfill = "999999999w"'), "poll.backfill", "longer than any"),
    (key_and("[heartbeat]"), "heartbeat.url", "is missing: write url ="),
    (key_and('[heartbeat]\nurl = "http://h.example"'), "heartbeat.url", "allow_private = true"),
    # budgets
    (budget('period = "monthly"'), "budget[0].period", 'not "monthly"; did you mean "month"? (budget "platform")'),
    (budget('period = "quarterly"'), "budget[0].period", 'not "quarterly"; did you mean "quarter"?'),
    (budget('period = "year"\nyear_start = 4'), "budget[0].year_start", "not 4"),
    (budget('period = "year"\nyear_start = "apr"'), "budget[0].year_start", 'not "apr"; did you mean "april"?'),
    (budget('year_start = "april"'), "budget[0].year_start", 'is for period = "quarter" or "year" alone'),
    (budget('period = "rolling"'), "budget[0].period", 'must say how long the window is, as in "rolling 24h"'),
    (budget('period = "rolling day"'), "budget[0].period", "must say how long the window is"),
    (
        budget('period = "rolling 90m"'),
        "budget[0].period",
        "must be a window of whole hours, from 1h to 66d",
    ),
    (budget('period = "rolling 0h"'), "budget[0].period", "must be a window of whole hours, from 1h"),
    (budget('period = "rolling 67d"'), "budget[0].period", 'not "rolling 67d"'),
    (budget('period = "rolling 1d"\nbilling_day = 3'), "budget[0].billing_day", '"month", "quarter" or "year" alone'),
    (budget("billing_day = 32"), "budget[0].billing_day", "a whole number from 1 to 31, not 32"),
    (budget("billing_day = 0"), "budget[0].billing_day", "a whole number from 1 to 31"),
    (budget('period = "day"\nbilling_day = 5'), "budget[0].billing_day", '"quarter" or "year" alone (budget "plat'),
    (budget('week_start = "sunday"'), "budget[0].week_start", 'is for period = "week" alone'),
    (budget('period = "week"\nweek_start = "sun"'), "budget[0].week_start", 'not "sun"; did you mean "sunday"?'),
    (budget("from = 2026-11-01"), "budget[0].until", 'is missing: with `from`, write it too, as in until = "2027'),
    (budget("until = 2026-11-01"), "budget[0].from", 'is missing: with `until`, write it too, as in from = "2026'),
    (budget("from = 2026-11-01\nuntil = 2026-11-01"), "budget[0].until", "must be after `from`, which is 2026-11-01"),
    (
        budget("from = 2026-11-01\nuntil = 2027-11-03"),
        "budget[0].until",
        "makes it 367 days, and it must be at most 366",
    ),
    (budget('from = "soon"\nuntil = 2026-11-01'), "budget[0].from", "must be a date such as"),
    (budget("from = 0001-01-01\nuntil = 2026-02-01"), "budget[0].from", "must be a date from 2000 to 2999"),
    (budget('from = "2999-12-01"\nuntil = "9999-12-31"'), "budget[0].until", "must be a date from 2000 to 2999"),
    (price("output = 1\nto = 3000-01-01"), "price[0].to", "must be a date from 2000 to 2999"),
    (
        budget('period = "week"\nfrom = 2026-11-01\nuntil = 2026-11-02'),
        "budget[0].period",
        "does not go with `from` and `until`, which are the period: leave it out",
    ),
    (
        budget("billing_day = 3\nfrom = 2026-11-01\nuntil = 2026-11-02"),
        "budget[0].billing_day",
        'is for period = "month", "quarter" or "year" alone',
    ),
    (budget('timezone = "Europe/Berln"'), "budget[0].timezone", 'did you mean "Europe/Berlin"?'),
    (budget('timezone = "CEST"'), "budget[0].timezone", 'not "CEST"; an abbreviation may mean several: name a place'),
    (budget('timezone = "pst"'), "budget[0].timezone", "an abbreviation may mean several: name a place"),
    (budget('timezone = "utc"'), "budget[0].timezone", 'did you mean "UTC"?'),
    (budget('timezone = "berlin"'), "budget[0].timezone", 'did you mean "Europe/Berlin"?'),
    (budget('timezone = "../UTC"'), "budget[0].timezone", "must be a time zone"),
    (budget('timezone = "localtime"'), "budget[0].timezone", "must be a time zone"),
    # limits of the Console
    (budget('limit = "api"'), "budget[0].limit", 'must be "console", not "api"'),
    (budget('limit = "console"'), "budget[0].limit", "is given beside limit_usd: keep one of the two"),
    (console('plan = { "2026-12" = 1 }'), "budget[0].plan", "is in dollars, and goes with limit_usd or alone"),
    (console('period = "hour"'), "budget[0].period", 'whose periods are "day", "week" and "month"'),
    (console('period = "rolling 24h"'), "budget[0].period", 'whose periods are "day", "week" and "month"'),
    (console('from = "2026-11-20"\nuntil = "2026-12-12"'), "budget[0].from", "whose periods are"),
    (console('timezone = "Europe/Berlin"'), "budget[0].timezone", 'must be "UTC" with limit = "console"'),
    (console("billing_day = 15"), "budget[0].billing_day", 'must be 1 with limit = "console"'),
    (console('period = "week"\nweek_start = "sunday"'), "budget[0].week_start", 'must be "monday" with limit'),
    (console('per = ["model"]'), "budget[0].per", 'the provider has limits for per = ["workspace"], per = ["user"]'),
    (console('per = ["workspace", "user"]'), "budget[0].per", "the provider has limits for"),
    (console('select = { model = "claude-*" }'), "budget[0].select.model", "for all that is spent, and not for a part"),
    (console('per = ["user"]\nselect = { workspace = "a" }'), "budget[0].select.workspace", "not for a part of it"),
    (console('select = { workspace = "prod-*" }'), "budget[0].select.workspace", "may take several"),
    # tokens
    (
        tokens("5"),
        "budget[0].limit_tokens",
        "such as { total = 50_000_000 }, not 5",
    ),
    (
        tokens("{}"),
        "budget[0].limit_tokens",
        'one of "total", "input", "uncached_input"',
    ),
    (tokens("{ total = 1, output = 1 }"), "budget[0].limit_tokens", "must be a table of one kind of tokens"),
    (tokens("{ inputs = 1 }"), "budget[0].limit_tokens", "has inputs, which is no kind of tokens"),
    (
        tokens("{ total = 0 }"),
        "budget[0].limit_tokens",
        "its `total` must be a whole number from 1",
    ),
    (tokens("{ total = 1.5 }"), "budget[0].limit_tokens", "must be a whole number"),
    (tokens("{ total = 9 }", "limit_usd = 5"), "budget[0].limit_tokens", "is given beside limit_usd"),
    (tokens("{ total = 9 }", 'plan = { "2026-12" = 1 }'), "budget[0].plan", "is in dollars"),
    (
        tokens("{ total = 9 }", "thresholds = [50, { at_usd = 5 }]"),
        "budget[0].thresholds[1]",
        "is in dollars, and the limit is in tokens: write a percent, or an amount with `at_tokens`",
    ),
    (
        budget("thresholds = [{ at_tokens = 5 }]"),
        "budget[0].thresholds[0]",
        "is in tokens, and the limit is in dollars: write a percent, or an amount with `at_usd`",
    ),
    (
        tokens("{ total = 9 }", "thresholds = [{ at_tokens = 5 }, { at_tokens = 5 }]"),
        "budget[0].thresholds",
        "must name each amount once: 5 tokens stands there twice",
    ),
    (
        tokens("{ output = 10 }", "thresholds = [50, { at_tokens = 5 }]"),
        "budget[0].thresholds[1]",
        "50 % and 5 tokens of 10 output tokens are the same amount",
    ),
    (tokens("{ total = 9 }", "forecast = [100]"), "budget[0].forecast", "is for budgets of spend in dollars alone"),
    (code("burn_rate = true"), "budget[0].burn_rate", "is for budgets of spend in dollars alone"),
    (budget("forecast = [{ at_tokens = 5 }]"), "budget[0].forecast", "has at_tokens, which is not a setting"),
    (budget("limit_requests = 5"), "budget[0].limit_requests", "is given beside limit_usd"),
    (requests("0"), "budget[0].limit_requests", "must be a whole number from 1 to"),
    (requests("5", "thresholds = [{ at_usd = 5 }]"), "budget[0].thresholds[0]", "an amount with `at_requests`"),
    (tokens("{ total = 9 }", 'period = "year"'), "budget[0].period", "only spend in dollars is known for longer"),
    (code('from = "2026-01-01"\nuntil = "2026-12-31"'), "budget[0].until", "makes it more than 66 days"),
    # what can never match
    (
        budget('select = { model_family = "claude-opus" }'),
        "budget[0].select.model_family",
        'write "opus", not "claude-opus"',
    ),
    (
        budget('select = { model_family = "opus", model = "claude-haiku-5" }'),
        "budget[0].select.model_family",
        'contradicts `model`, so that nothing can match: "claude-haiku-5" is of the family "haiku"',
    ),
    (
        budget('select = { api_key = "console", user = "*@team.example" }'),
        "budget[0].select.user",
        "contradicts `api_key`, so that nothing can match: use in the Console is nobody's",
    ),
    (
        budget('select = { api_key = "unattributed", service_tier = "batch" }'),
        "budget[0].select.service_tier",
        "no tier",
    ),
    (
        budget('select = { workspace = "default", tag = "team=platform" }'),
        "budget[0].select.tag",
        "the default workspace has no tags",
    ),
    # Claude Code
    (budget('source = "claude-code"'), "budget[0].source", 'must be "spend" or "claude_code"'),
    (budget('customer_type = "api"'), "budget[0].customer_type", 'is for source = "claude_code" alone'),
    (code('customer_type = "free"'), "budget[0].customer_type", 'must be "api" or "subscription"'),
    (code('period = "hour"'), "budget[0].period", "its report is of whole UTC days"),
    (code('period = "rolling 24h"'), "budget[0].period", "its report is of whole UTC days"),
    (code('timezone = "Europe/Berlin"'), "budget[0].timezone", 'must be "UTC"'),
    (code('per = ["user", "api_key"]'), "budget[0].per[1]", "whose report knows users and models alone"),
    (code('select = { workspace = "a" }'), "budget[0].select.workspace", "whose report knows users and models alone"),
    (
        tokens("{ total = 9 }", 'source = "claude_code"'),
        "budget[0].limit_tokens",
        'does not go with source = "claude_code", which is an estimate in dollars',
    ),
    # plans
    (budget("plan = 5"), "budget[0].plan", 'must be a table such as { "2026-12" = 15000 }, not 5'),
    (budget("plan = {}"), "budget[0].plan", "must name 1 to 400 periods, and names 0"),
    (budget('plan = { "2026-13" = 1 }'), 'budget[0].plan."2026-13"', "there is no such month"),
    (budget('plan = { "2026-Q4" = 1 }'), 'budget[0].plan."2026-Q4"', 'must name a month such as "2026-12", as the'),
    (budget('plan = { "December" = 1 }'), 'budget[0].plan."December"', "must name a month"),
    (budget('plan = { "2026-12" = 0 }'), 'budget[0].plan."2026-12"', "must be more than 0, not 0"),
    (budget('plan = { "2026-12" = "1,000" }'), 'budget[0].plan."2026-12"', "no comma between thousands"),
    (budget('plan = { "2026-12" = { at = 1 } }'), 'budget[0].plan."2026-12"', "an amount in US dollars"),
    (budget('period = "day"\nplan = { "2026-02-30" = 1 }'), 'budget[0].plan."2026-02-30"', "no such day"),
    (budget('period = "week"\nplan = { "2025-W53" = 1 }'), 'budget[0].plan."2025-W53"', "no such week"),
    (budget('period = "week"\nplan = { "2026-11-30" = 1 }'), 'budget[0].plan."2026-11-30"', 'such as "2026-W49"'),
    (budget('period = "hour"\nplan = { "2026-12" = 1 }'), "budget[0].plan", "is for days, weeks, months"),
    (budget('period = "rolling 24h"\nplan = { "2026-12" = 1 }'), "budget[0].plan", "is for days, weeks, months"),
    (
        budget('from = "2026-11-20"\nuntil = "2026-12-12"\nplan = { "2026-12" = 1 }'),
        "budget[0].plan",
        "which follow one another",
    ),
    (
        budget('thresholds = [50, { at_usd = 75 }]\nplan = { "2026-12" = 150 }'),
        "budget[0].thresholds[1]",
        "50 % and $75.00 of $150.00 are the same amount",
    ),
    (limit("0"), "budget[0].limit_usd", "must be more than 0"),
    (limit("1e-12"), "budget[0].limit_usd", "must be more than 0"),
    (limit("-5"), "budget[0].limit_usd", "must be more than 0, not -5"),
    (limit("nan"), "budget[0].limit_usd", "an amount in US dollars"),
    (limit("inf"), "budget[0].limit_usd", "an amount in US dollars"),
    (limit('"1,000"'), "budget[0].limit_usd", "no comma between thousands"),
    (limit("true"), "budget[0].limit_usd", "an amount in US dollars"),
    (limit("0x" + "f" * 9000), "budget[0].limit_usd", "a number beyond all bounds"),
    (limit("1e4000"), "budget[0].limit_usd", "an amount in US dollars"),
    (budget("thresholds = [80, 50]"), "budget[0].thresholds", "must be in ascending order: [50, 80]"),
    (budget("thresholds = [50, 50.0]"), "budget[0].thresholds", "50 stands there twice"),
    (budget("thresholds = []"), "budget[0].thresholds", "1 to 20 thresholds"),
    (budget(f"thresholds = {list(range(1, 22))}"), "budget[0].thresholds", "and has 21"),
    (budget("thresholds = [0]"), "budget[0].thresholds[0]", "above 0"),
    (budget("thresholds = [50, 1001]"), "budget[0].thresholds[1]", "at most 1000"),
    (budget('thresholds = ["80%"]'), "budget[0].thresholds[0]", "without quotation marks"),
    (budget("thresholds = 80"), "budget[0].thresholds", "must be a list, as in thresholds = [50, 80, 100]"),
    (acting(""), "budget[0].thresholds[0].action", "needs a [shutoff] table"),
    (budget('thresholds = [{ at = 100, action = "off" }]'), "budget[0].thresholds[0]", 'must be "deactivate_key"'),
    (
        budget('thresholds = [{ at = 100, mode = "auto" }]'),
        "budget[0].thresholds[0]",
        'write action = "deactivate_key" beside it',
    ),
    (
        shutoff('mode = "auto"', budget('thresholds = [{ at = 100, action = "deactivate_key", mode = "yes" }]')),
        "budget[0].thresholds[0]",
        'must be "off", "dry_run", "approve" or "auto"',
    ),
    (
        budget('thresholds = [{ severity = "info" }]'),
        "budget[0].thresholds[0]",
        "must have either `at`, a percent, or `at_usd`, an amount",
    ),
    (
        budget("thresholds = [{ at = 5, at_usd = 5 }]"),
        "budget[0].thresholds[0]",
        "must have either `at`, a",
    ),
    (
        budget("thresholds = [{ at = 5, level = 5 }]"),
        "budget[0].thresholds[0]",
        "has level, which is not a setting",
    ),
    (
        budget('thresholds = [{ at = "80%" }]'),
        "budget[0].thresholds[0]",
        "its `at` must be a percent such as",
    ),
    (
        budget("thresholds = [{ at_usd = 0 }]"),
        "budget[0].thresholds[0]",
        "its `at_usd` must be more than 0",
    ),
    (
        budget('thresholds = [{ at = 80, severity = "warn" }]'),
        "budget[0].thresholds[0]",
        'its `severity` must be "info", "warning" or "critical", not "warn"; did you mean "warning"?',
    ),
    (
        budget("thresholds = [{ at_usd = 80 }, 50, { at_usd = 70 }]"),
        "budget[0].thresholds",
        "must be in ascending order: [$70, $80]",
    ),
    (
        budget("thresholds = [{ at_usd = 5 }, { at_usd = 5.0 }]"),
        "budget[0].thresholds",
        "each amount once: $5 stands",
    ),
    (
        budget("thresholds = [50, { at_usd = 50 }]"),
        "budget[0].thresholds[1]",
        "is there already: 50 % and $50.00 of $100.00 are the same amount",
    ),
    (budget('action = "deactivate_key"'), "budget[0].action", "belongs to a threshold: write it there, as in"),
    (budget('for = "1h"'), "budget[0].for", 'must be "0s"'),
    (budget('per = ["key"]'), "budget[0].per[0]", 'did you mean "api_key"?'),
    (budget('per = ["users"]'), "budget[0].per[0]", 'did you mean "user"?'),
    (budget('per = ["family"]'), "budget[0].per[0]", 'did you mean "model_family"?'),
    (budget('per = ["tag"]'), "budget[0].per[0]", 'must say which tag, as in "tag:team", not "tag"'),
    (budget('per = ["tag:"]'), "budget[0].per[0]", 'must say which tag, as in "tag:team"'),
    (budget('per = ["tag:a", "tag:a"]'), "budget[0].per", "each dimension once"),
    (budget("per = [1]"), "budget[0].per[0]", 'or a workspace tag such as "tag:team", not 1'),
    (budget('select = { tag = "team" }'), "budget[0].select.tag", 'a key and a value, such as "team=*", not "team"'),
    (budget('select = { tag = "te?m" }'), "budget[0].select.tag", 'such as "team=platform"'),
    (budget('select = { "tag:team" = "x" }'), 'budget[0].select."tag:team"', 'write tag = "key=value"'),
    (budget('select = { family = "opus" }'), "budget[0].select.family", 'did you mean "model_family"?'),
    (budget('per = ["model", "model"]'), "budget[0].per", "each dimension once"),
    (budget('select = { model = "" }'), "budget[0].select.model", "must not be empty"),
    (budget('select = { model = "  " }'), "budget[0].select.model", "must not be empty"),
    (budget('select = { model = "claude-[a" }'), "budget[0].select.model", "never closed"),
    (budget('select = { model = "claude-[!]" }'), "budget[0].select.model", "never closed"),
    (budget('select = { model = "claude-[z-a]" }'), "budget[0].select.model", "runs backwards"),
    (budget('select = { model = ["a", "b"] }'), "budget[0].select.model", "not a list"),
    (GOOD.replace('"platform"', '" "'), "budget[0].name", "must not be empty"),
    (GOOD.replace('"platform"', f'"{"x" * 101}"'), "budget[0].name", "at most 100 characters, not 101"),
    (GOOD.replace('"platform"', '"a\\nb"'), "budget[0].name", "one line of printable characters"),
    (GOOD.replace('"platform"', '"a\\u202eb"'), "budget[0].name", "one line of printable characters"),
    (GOOD + '[[budget]]\nname = "platform"\nlimit_usd = 1\n', "budget[1].name", "already the name of budget[0]"),
    # anomalies
    (anomaly("per = []"), "anomaly[0].per", 'at least one of "workspace", "api_key"'),
    (anomaly("min_excess_usd = 0"), "anomaly[0].min_excess_usd", "must be more than 0"),
    (anomaly('severity = "page"'), "anomaly[0].severity", 'must be "info", "warning" or "critical"'),
    (anomaly('for = "8d"'), "anomaly[0].for", "at most 7d"),
    (anomaly('keep_firing_for = "31d"'), "anomaly[0].keep_firing_for", 'at most 30d, not "31d" (anomaly "keys")'),
    (GOOD + '[[anomaly]]\nname = "keys"\n', "anomaly[1].name", "already the name of anomaly[0]"),
    # receivers and routes
    (GOOD + '[http]\nexternal_url = "watcher.example"\n', "http.external_url", "must be an address such as"),
    (GOOD + '[http]\nexternal_url = "https://u:p@h/"\n', "http.external_url", "without user"),
    (receiver('type = "slak"'), "receiver[0].type", 'did you mean "slack"?'),
    (receiver('url = "x"'), "receiver[0].type", 'is missing: write it, as in type = "slack" (receiver "ops")'),
    (receiver('type = "slack"'), "receiver[0].url", 'write url = "${SLACK_WEBHOOK_URL}", or url_file'),
    (receiver('type = "slack"\nbot_token = "xoxb-1234567890"'), "receiver[0].channel", 'channel = "C0123456789"'),
    (receiver('type = "slack"\nchannel = "C0123456789"'), "receiver[0].bot_token", 'bot_token = "${SLACK_BOT_TOKEN}"'),
    (
        receiver('type = "slack"\nbot_token = "xoxp-1234567890"\nchannel = "C0123456789"'),
        "receiver[0].bot_token",
        "begins with xoxb-",
    ),
    (
        receiver('type = "slack"\nbot_token = "xoxb-1"\nchannel = "C0123456789"'),
        "receiver[0].bot_token",
        "what follows is too short",
    ),
    (
        receiver('type = "slack"\nbot_token = "xoxb-1234567890"\nchannel = "#ops"'),
        "receiver[0].channel",
        'not "#ops"',
    ),
    (
        receiver('type = "slack"\nurl = "https://h.example"\nbot_token = "xoxb-1234567890"\nchannel = "C0123456789"'),
        "receiver[0].url",
        "keep one",
    ),
    (
        receiver('type = "slack"\nurl = "https://h.example"\nchannel = "C0123456789"'),
        "receiver[0].channel",
        "belongs to a bot",
    ),
    (
        receiver('type = "slack"\nbot_token = "xoxb-1234567890"\nchannel = "C0123456789"\nactors = ["U0123456789"]'),
        "receiver[0].actors",
        "without an `app_token`",
    ),
    (
        receiver(
            'type = "slack"\nbot_token = "xoxb-1234567890"\nchannel = "C0123456789"\n'
            'app_token = "xapp-123456789"\nactors = ["@ada"]'
        ),
        "receiver[0].actors[0]",
        "member ids",
    ),
    (
        receiver(
            'type = "slack"\nbot_token = "xoxb-1234567890"\nchannel = "C0123456789"\napp_token = "xoxb-123456789"'
        ),
        "receiver[0].app_token",
        "begins with xapp-",
    ),
    (
        receiver(
            'type = "slack"\nbot_token = "xoxb-1234567890"\nchannel = "C0123456789"\napi_url = "https://s.example/?x"'
        ),
        "receiver[0].api_url",
        "before any ?",
    ),
    (receiver('type = "slack"\nurl = "hooks.slack.com/x"'), "receiver[0].url", "does not begin with https://"),
    (receiver('type = "slack"\nurl = "http://hooks.slack.com/x"'), "receiver[0].url", "allow_private = true"),
    (
        receiver('type = "slack"\nurl = "http://8.8.8.8/x"\nallow_private = true'),
        "receiver[0].url",
        "this one is public",
    ),
    (receiver('type = "slack"\nurl = "x"\nurl_file = "y"'), "receiver[0].url_file", 'the two (receiver "ops")'),
    (receiver('type = "webhook"\nurl = "https://10.0.0.1/x"'), "receiver[0].url", "is private"),
    (receiver('type = "webhook"\nurl = "https://127.1/x"'), "receiver[0].url", "four decimal numbers"),
    (
        receiver('type = "webhook"\nurl = "https://169.254.169.254/"\nallow_private = true'),
        "receiver[0].url",
        "link-local",
    ),
    (
        receiver('type = "webhook"\nurl = "https://h"\nallow_private = "no"'),
        "receiver[0].allow_private",
        "true or false",
    ),
    (receiver('type = "slack"\nurl = "https://h"\nproxy = "socks5://p"'), "receiver[0].proxy", "other kinds of proxy"),
    (receiver('type = "webhook"\nurl = "https://h"\nca_file = "none"'), "receiver[0].ca_file", "cannot be read"),
    (receiver('type = "webhook"\nurl = "https://h"\nsecret = "x"'), "receiver[0].secret", "must be whsec_ and behind"),
    (
        receiver('type = "webhook"\nurl = "https://h"\nsecret = "x"\nsecret_file = "y"'),
        "receiver[0].secret_file",
        "keep one of the two",
    ),
    (receiver('type = "alertmanager"'), "receiver[0].url", 'write url = "http://alertmanager:9093", or url_file'),
    (
        receiver('type = "alertmanager"\nurl = "https://a.example http://b.example"'),
        "receiver[0].url",
        "allow_private = true",
    ),
    (receiver('type = "alertmanager"\nurl = "https://h/?a=b"'), "receiver[0].url", "must end before any ?"),
    (
        receiver('type = "alertmanager"\nurl = "https://h"\nresend_every = "1s"'),
        "receiver[0].resend_every",
        "must be at least 10s",
    ),
    (
        receiver('type = "alertmanager"\nurl = "https://h"\nusername = "u"'),
        "receiver[0].password",
        "is missing: write password",
    ),
    (
        receiver('type = "alertmanager"\nurl = "https://h"\npassword = "p"'),
        "receiver[0].username",
        "there is a password, and no user name",
    ),
    (
        receiver('type = "alertmanager"\nurl = "https://h"\nusername = "u"\npassword = "p"\ntoken = "t"'),
        "receiver[0].token",
        "beside a password",
    ),
    (receiver('type = "alertmanager"\nurl = "https://h"\ntoken = "a b"'), "receiver[0].token", "without blanks"),
    (receiver('type = "pagerduty"'), "receiver[0].routing_key", "write routing_key ="),
    (receiver('type = "pagerduty"\nrouting_key = "x"'), "receiver[0].routing_key", "the 32 letters and digits"),
    (
        receiver(f'type = "pagerduty"\nrouting_key = "{"R" * 32}"\nservice_region = "asia"'),
        "receiver[0].service_region",
        'must be "us" or "eu"',
    ),
    (receiver(f'type = "pagerduty"\nrouting_key = "{"R" * 32}"\nurl = "http://h"'), "receiver[0].url", "allow_private"),
    (
        receiver(f'type = "pagerduty"\nrouting_key = "{"R" * 32}"\nurl = "https://h"\nservice_region = "eu"'),
        "receiver[0].service_region",
        "says nothing beside `url`",
    ),
    (mail("").replace('host = "h"', ""), "receiver[0].host", 'is missing: write it, as in host = "smtp.example"'),
    (mail("").replace('host = "h"', 'host = "h:25"'), "receiver[0].host", "`port` has its own setting"),
    (mail("").replace('host = "h"', 'host = "smtp://h"'), "receiver[0].host", "must be a host name"),
    (mail("port = 70000"), "receiver[0].port", "a whole number from 1 to 65535"),
    (mail('tls = "none"'), "receiver[0].tls", "allow_plain = true permits it"),
    (mail('tls = "ssl"'), "receiver[0].tls", 'must be "starttls", "implicit" or "none"'),
    (mail('username = "u"'), "receiver[0].password", "is missing: write password"),
    (mail('password = "u"'), "receiver[0].username", "there is a password"),
    (mail('username = "u"\npassword = "ü"'), "receiver[0].password", "printable ASCII"),
    (mail("").replace('["a@b"]', '"a@b"'), "receiver[0].to", 'must be a list, as in to = ["finance@team.example"]'),
    (mail("").replace('["a@b"]', "[]"), "receiver[0].to", "must name at least one address"),
    (mail("").replace('["a@b"]', '["a@b", "A <A@B>"]'), "receiver[0].to", "stands there twice"),
    (mail("").replace('["a@b"]', '["a@b", "a@b\\r\\nBcc: e@f"]'), "receiver[0].to[1]", "must be an e-mail address"),
    (mail("").replace('["a@b"]', '["a@b, c@d"]'), "receiver[0].to[0]", "must be an e-mail address"),
    (
        mail("").replace('["a@b"]', f"[{', '.join(f'{chr(34)}a{n}@b{chr(34)}' for n in range(51))}]"),
        "receiver[0].to",
        "at most 50",
    ),
    (mail("").replace('from = "w@x"', 'from = "w"'), "receiver[0].from", "must be an e-mail address"),
    (mail("allow_private = true"), "receiver[0].allow_private", 'did you mean "allow_plain"?'),
    (receiver('type = "apprise"'), "receiver[0].url", 'write url = "${APPRISE_URL}"'),
    (receiver('type = "apprise"\nurl = "telegram"'), "receiver[0].url", "addresses of apprise, such as tgram://"),
    (receiver('type = "console"\nurl = "https://h"'), "receiver[0].url", "this table has name and type"),
    (GOOD + '[[receiver]]\nname = "ops"\ntype = "console"\n', "receiver[1].name", "already the name of receiver[0]"),
    (route('group_wait = "5"'), "route[1].group_wait", "must be a duration"),
    (route('group_wait = "2d"'), "route[1].group_wait", "at most 1d"),
    (route('repeat_interval = "1m"'), "route[1].repeat_interval", "at least 5m"),
    (route('group_by = "workspace"'), "route[1].group_by", 'must be a list, as in group_by = ["workspace"]'),
    (route('group_by = ["workspaces"]'), "route[1].group_by[0]", 'did you mean "workspace"?'),
    (route('group_by = ["alert", "model"]'), "route[1].group_by", 'no other label beside "alert"'),
    (route('group_by = ["model", "model"]'), "route[1].group_by", "each label once"),
    (route('escalate_after = "30m"'), "route[1].escalate_to", "is missing: with `escalate_after`"),
    (route('escalate_to = "ops"'), "route[1].escalate_after", "is missing: with `escalate_to`"),
    (route('escalate_after = "30m"\nescalate_to = "opps"'), "route[1].escalate_to", 'did you mean "ops"?'),
    (
        route('mute = ["n"]\nactive = ["n"]\n[[time_interval]]\nname = "n"\ntimes = ["09:00-17:00"]'),
        "route[1].mute[0]",
        "no message would ever go out",
    ),
    (route('escalate_after = "5m"\nescalate_to = "b"'), "route[1].escalate_to", "the route's own receiver"),
    (interval(""), "time_interval[0]", "says no time"),
    (route('mute = ["nights"]'), "route[1].mute[0]", "no [[time_interval]] has that name; there is none"),
    (
        route('active = ["nigts"]\n[[time_interval]]\nname = "nights"\nmonths = ["may"]'),
        "route[1].active[0]",
        'did you mean "nights"?',
    ),
    (route("routes = 5"), "route[1].routes", "written [[route.routes]]"),
    (route('[[route.routes]]\nreciever = "ops"'), "route[1].routes[0].reciever", 'did you mean "receiver"?'),
    (route('[[route.routes]]\nreceiver = "opps"'), "route[1].routes[0].receiver", 'did you mean "ops"?'),
    (route('[[route.routes]]\nmatch = ["x=1"]'), "route[1].routes[0].match[0]", "which no alert has"),
    (
        route("".join(f"[[route{'.routes' * depth}]]\n" for depth in range(1, 6))),
        "route[1].routes[0].routes[0].routes[0].routes[0].routes",
        "nested too deeply: at most 5",
    ),
    (route("[[time_interval]]\ntimes = []"), "time_interval[0].name", "is missing"),
    (
        interval('times = ["22:00-6"]\n[[route]]\nreceiver = "ops"\nmatch = [\'rule="x"\']\nmute = ["nights"]'),
        "time_interval[0].times[0]",
        "such as",
    ),
    (interval('times = ["22:00-06:00"]'), "time_interval[0].times[0]", '["22:00-24:00", "00:00-06:00"]'),
    (interval('times = ["22:00-00:00"]'), "time_interval[0].times[0]", 'write midnight as 24:00, "22:00-24:00"'),
    (interval('times = ["09:00-09:00"]'), "time_interval[0].times[0]", 'the whole day is "00:00-24:00"'),
    (interval('times = ["00:00-00:00"]'), "time_interval[0].times[0]", 'write midnight as 24:00, "00:00-24:00"'),
    (
        interval('days_of_month = ["30:31"]\nmonths = ["february"]'),
        "time_interval[0].days_of_month",
        "names no day that the months have",
    ),
    (interval('days_of_month = ["-1:1"]'), "time_interval[0].days_of_month", "names no day that the months have"),
    (interval('times = ["9-17"]'), "time_interval[0].times[0]", 'such as "09:00-17:00"'),
    (interval('times = ["09:00-25:00"]'), "time_interval[0].times[0]", "up to 24:00"),
    (interval('weekdays = ["mon"]'), "time_interval[0].weekdays[0]", 'not "mon"; did you mean "monday"?'),
    (
        interval('weekdays = ["monday-friday"]'),
        "time_interval[0].weekdays[0]",
        'a stretch such as "monday:friday", not "monday-friday"; did you mean "monday:friday"?',
    ),
    (interval('weekdays = ["Sat to Sun"]'), "time_interval[0].weekdays[0]", 'did you mean "saturday:sunday"?'),
    (interval('weekdays = ["montag"]'), "time_interval[0].weekdays[0]", 'not "montag" (time interval "nights")'),
    (interval('months = ["febuary"]'), "time_interval[0].months[0]", 'did you mean "february"?'),
    (interval('months = ["june:agust"]'), "time_interval[0].months[0]", 'did you mean "june:august"?'),
    (interval('months = ["ju"]'), "time_interval[0].months[0]", 'not "ju" (time interval "nights")'),
    (interval('weekdays = ["friday:monday"]'), "time_interval[0].weekdays[0]", "write two stretches"),
    (interval('days_of_month = ["0"]'), "time_interval[0].days_of_month[0]", "from 1 to 31"),
    (interval('days_of_month = ["7:1"]'), "time_interval[0].days_of_month[0]", "must not end before it begins"),
    (interval('months = ["dez"]'), "time_interval[0].months[0]", 'such as "january"'),
    (interval('timezone = "Berlin"'), "time_interval[0].timezone", "Europe/Berlin"),
    (GOOD + '[[route]]\nreceiver = "opps"\n', "route[1].receiver", 'did you mean "ops"?'),
    (GOOD + '[[route]]\nreceiver = "xyzzy"\n', "route[1].receiver", 'there is "ops"'),
    (GOOD + '[[route]]\nreceiver = "ops"\n', "route[1].receiver", "already the receiver of route[0]"),
    (
        GOOD + '[[route]]\nreceiver = "ops"\nmatch = ["rule=a"]\n' * 2,
        "route[2].receiver",
        "of route[1], with the same `match`",
    ),
    (route('match = "severity=critical"'), "route[1].match", "must be a list, as in match = ['severity="),
    (route("match = [1]"), "route[1].match[0]", "must be a text such as 'severity=\"critical\"', not 1"),
    (route("match = ['rule=a', 'severity']"), "route[1].match[1]", "must be a label, one of = != =~ !~ and a value"),
    (route("match = ['severity=page']"), "route[1].match[0]", "there is info, warning, critical"),
    (route("match = ['severity=\"critcal\"']"), "route[1].match[0]", 'did you mean "critical"?'),
    (route("match = ['severity!=\"crit\"']"), "route[1].match[0]", "names a severity that there is not"),
    (route("match = ['kind=~\"sources\"']"), "route[1].match[0]", 'did you mean "source"?'),
    (route("match = ['workspaces=a']"), "route[1].match[0]", 'which no alert has; did you mean "workspace"?'),
    (route("match = ['xyzzy=a']"), "route[1].match[0]", "there is kind, severity, rule, organization"),
    (route("match = ['tag_=a']"), "route[1].match[0]", "which no alert has"),
    (route("match = ['rule=\"a']"), "route[1].match[0]", "a quotation mark that is never closed"),
    (route("match = ['rule=a\"b']"), "route[1].match[0]", 'write \\" there'),
    (route("match = ['severity==\"critical\"']"), "route[1].match[0]", 'must have one "=", not two'),
    (route("match = ['workspace==prod']"), "route[1].match[0]", 'must have one "=", not two'),
    (route("match = ['rule=~\"(a\"']"), "route[1].match[0]", "no regular expression after =~: missing )"),
    (route("match = ['rule!~\"[z-a]\"']"), "route[1].match[0]", "invalid character class range: z-a"),
    (route("match = ['rule=~\"(?!spend).*\"']"), "route[1].match[0]", "=~: invalid perl operator: (?!"),
    (route("match = ['${SECRET}']"), "route[1].match[0]", 'filled in: "${SECRET}"'),
    (route(f"match = ['rule={'a' * 301}']"), "route[1].match[0]", "at most 300 characters, not 301"),
    (route(f"match = {['rule=a'] * 21}"), "route[1].match", "at most 20 matchers, and has 21"),
    (route("continue = 1"), "route[1].continue", "must be true or false"),
    (route("goes_on = true"), "route[1].goes_on", "this table has active, continue, escalate_after"),
    # what may be done to keys
    (GOOD + "[[shutoff]]\n", "shutoff", "write [shutoff], in single brackets"),
    (shutoff('mode = "on"'), "shutoff.mode", 'must be "off", "dry_run", "approve" or "auto"'),
    (shutoff('protected = ["prod-*"]'), "shutoff.protected", 'did you mean "protect"?'),
    (shutoff('protect = ["prod-*"]'), "shutoff.protect", "must be a table"),
    (shutoff('protect = { key = ["a"] }'), "shutoff.protect.key", 'did you mean "api_key"?'),
    (shutoff('protect = { api_key = "prod-*" }'), "shutoff.protect.api_key", "must be a list"),
    (shutoff("protect = { api_key = [1] }"), "shutoff.protect.api_key[0]", "must be"),
    (shutoff('protect = { workspace = ["a", "["] }'), "shutoff.protect.workspace[1]", 'a "[" that is never closed'),
    (
        shutoff('protect = { tag = ["tier=critical"] }'),
        "shutoff.protect.tag",
        'tag = { tier = "critical" } }, not a list',
    ),
    (shutoff("protect = { tag = { tier = 1 } }"), "shutoff.protect.tag.tier", "must be"),
    (shutoff('protect = { claude_code = "no" }'), "shutoff.protect.claude_code", "must be true or false"),
    (shutoff("max_per_cycle = 0"), "shutoff.max_per_cycle", "a whole number from 1 to 100"),
    (shutoff("max_per_day = 1001"), "shutoff.max_per_day", "a whole number from 1 to 1000"),
    (shutoff("max_share = 10"), "shutoff.max_share", "above 0 and at most 1, such as 0.10, not 10"),
    (shutoff("max_share = 0"), "shutoff.max_share", "above 0 and at most 1"),
    (shutoff('max_share = "10%"'), "shutoff.max_share", "above 0 and at most 1"),
    (shutoff("max_share = nan"), "shutoff.max_share", "above 0 and at most 1, such as 0.10, not NaN"),
    (shutoff("max_share = inf"), "shutoff.max_share", "above 0 and at most 1"),
    (shutoff("max_share = true"), "shutoff.max_share", "above 0 and at most 1"),
    (shutoff('grace = "25h"'), "shutoff.grace", "at most 1d"),
    (shutoff("grace = 15"), "shutoff.grace", "must be a duration"),
    (shutoff("min_usd = 0"), "shutoff.min_usd", "more than 0"),
    (shutoff('approvers = "U012345"'), "shutoff.approvers", "must be a list"),
    (shutoff("approvers = [5]"), "shutoff.approvers[0]", "must be"),
    (shutoff('reactivate_at_reset = "yes"'), "shutoff.reactivate_at_reset", "must be true or false"),
    (shutoff('not_during = ["nights"]'), "shutoff.not_during[0]", "no [[time_interval]] has that name; there is none"),
    (
        shutoff('not_during = ["nigts"]', interval('months = ["may"]')),
        "shutoff.not_during[0]",
        'there is "nights"',
    ),
    (shutoff('brake_file = "~/brake"'), "shutoff.brake_file", 'must not begin with "~"'),
    (shutoff('action_key = "sk-ant-api03-x"'), "shutoff.action_key", "is an ordinary API key"),
    (shutoff('action_key = "sk-ant-analytics-x"'), "shutoff.action_key", "must be an Admin key (sk-ant-admin…)"),
    (shutoff('action_key = "a b"'), "shutoff.action_key", "plain ASCII"),
    (shutoff('action_key_file = "nowhere"'), "shutoff.action_key_file", "no such file"),
    (
        shutoff('action_key = "sk-ant-admin01-x"', organization("")),
        "shutoff.action_key",
        "write action_key in each [[organization]]",
    ),
    (organization('action_key = "x"'), "organization[0].action_key", "must be an Admin key (sk-ant-admin…)"),
    (anthropic('admin_key = "sk-ant-admin01-x"\naction_key = "x"'), "anthropic.action_key", "[shutoff]"),
    (anomaly('action = "deactivate_key"'), "anomaly[0].action", "needs a [shutoff] table"),
    (anomaly('action = "notify"'), "anomaly[0].action", 'must be "deactivate_key", the only action that there is'),
    (anomaly('mode = "approve"'), "anomaly[0].mode", 'write action = "deactivate_key" beside it'),
    (
        shutoff('mode = "dry_run"', anomaly('action = "deactivate_key"\nmode = "auto"')),
        "anomaly[0].mode",
        'is "auto", which is more than the mode of [shutoff] allows ("dry_run")',
    ),
    (
        shutoff('mode = "approve"', budget('thresholds = [{ at = 100, action = "deactivate_key", mode = "auto" }]')),
        "budget[0].thresholds[0].mode",
        'more than the mode of [shutoff] allows ("approve")',
    ),
    (
        shutoff('mode = "auto"', tokens("{ total = 5 }", 'thresholds = [{ at = 100, action = "deactivate_key" }]')),
        "budget[0].thresholds[0].action",
        "needs a budget of money",
    ),
    (
        shutoff('mode = "auto"', requests("5", 'thresholds = [{ at = 100, action = "deactivate_key" }]')),
        "budget[0].thresholds[0].action",
        "needs a budget of money",
    ),
    (
        shutoff('mode = "auto"', code('thresholds = [{ at = 100, action = "deactivate_key" }]')),
        "budget[0].thresholds[0].action",
        "people have no key to deactivate",
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "two-lines").write_text("c4n4ry\nc4n4ry\n")
    (tmp_path / "binary").write_bytes(b"c4n4ry\xff\xfe")
    return tmp_path


def problems_of(folder: Path, document: str | bytes) -> tuple[Problem, ...]:
    path = folder / "config.toml"
    path.write_bytes(document if isinstance(document, bytes) else document.encode())
    with pytest.raises(InvalidConfig) as caught:
        load(path, ENV)
    return caught.value.problems


def test_the_document_that_the_others_are_variations_of_is_valid(folder: Path) -> None:
    path = folder / "config.toml"
    path.write_text(GOOD)
    assert load(path, ENV).budgets[0].name == "platform"


@pytest.mark.parametrize(("document", "place", "phrase"), BROKEN, ids=[f"{row[1]}: {row[2]}"[:70] for row in BROKEN])
def test_what_is_wrong_is_told_with_its_place_and_remedy(folder: Path, document: str, place: str, phrase: str) -> None:
    problems = problems_of(folder, document)
    assert [problem.place for problem in problems] == [place], problems  # it alone, and nothing that follows from it
    message = problems[0].message
    assert phrase in message
    assert not re.search(r"[Ii]nput should|pydantic|validator|c4n4ry|Error|Traceback", message)
    assert len(message) < 300
    assert message.isprintable()


def test_everything_that_is_wrong_is_told_at_once(folder: Path) -> None:
    document = """
        typo = 1
        [anthropic]
        base_url = "http://api.anthropic.com"
        [http]
        listen = "0.0.0.0:80"
        [poll]
        usage_every = "1s"
        cost_every = "1s"
        [[budget]]
        name = "a"
        limit_usd = 0
        period = "decade"
        [[budget]]
        name = "a"
        limit_usd = 1
        select = { model = "[" }
        [[anomaly]]
        per = ["owner"]
        [[receiver]]
        name = "ops"
        type = "slack"
        url = "${NO_SUCH}"
        [[route]]
        receiver = "oops"
    """
    assert {problem.place for problem in problems_of(folder, document)} == {
        "typo",
        "anthropic.base_url",
        "anthropic.admin_key",
        "http.listen",
        "poll.usage_every",
        "poll.cost_every",
        "budget[0].limit_usd",
        "budget[0].period",
        "budget[1].name",
        "budget[1].select.model",
        "anomaly[0].name",
        "anomaly[0].per[0]",
        "receiver[0].url",
        "route[0].receiver",
    }


def test_the_exception_reads_as_a_list_for_people(folder: Path) -> None:
    path = folder / "config.toml"
    path.write_text(GOOD.replace("limit_usd = 100", "limit_usd = -1") + "[pol]\n")
    with pytest.raises(InvalidConfig) as caught:
        load(path, ENV)
    assert str(caught.value) == (
        f"{path}: 2 problems\n"
        '  pol: is not a setting; did you mean "poll"?\n'
        '  budget[0].limit_usd: must be more than 0, not -1 (budget "platform")'
    )


@pytest.mark.parametrize(
    ("document", "place", "phrase"),
    [
        ("[anthropic]\nadmin_key = c4n4ry\n", "line 2, column 13", "between quotation marks"),
        ('[anthropic]\nadmin_key = "c4n4ry\n', "line 2, column 20", "on the same line"),
        ("a = [1, 2\n[b]\n", "line 2", "a list ends with ]"),
        ('a = "x" b = "c4n4ry"\n', "line 1, column 9", "one setting a line"),
        ("[poll]\n[poll]\n", "line 2, column 6", "the same table is given twice"),
        ("a = 1\na = 2\n", "line 2, column 6", "given twice"),
        ("a = 1979-13-45\n", "line 1", "is not TOML"),
        ("just words\n", "line 1, column 6", 'a setting is written name = "value"'),
        (f"a = {'9' * 5000}\n", "config.toml", "more digits than can be read"),
        (f"a = {'[' * 5000}\n", "config.toml", "nested too deeply"),
        ('# ünïcödé\nx = "\xff"\n'.encode("latin-1"), "config.toml", "is not UTF-8 (line 1)"),
        ("a = 1\n".encode("utf-16"), "config.toml", "is UTF-16"),
        ("#" * (1024 * 1024 + 1), "config.toml", "larger than 1 MiB"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_is_not_toml_is_told_by_its_line(
    folder: Path, document: str | bytes, place: str, phrase: str
) -> None:
    (problem,) = problems_of(folder, document)
    assert place in problem.place
    assert phrase in problem.message
    assert "c4n4ry" not in str(problem)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("missing.toml", "there is no such file; copy config.example.toml"),
        (".", "is a folder"),
        ("empty/config.toml", "cannot be read: Not a directory"),
        ("loop", "cannot be read"),
        ("x" * 300, "cannot be read: File name too long"),
        ("a\0b", "not a path"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_as_what_it_is(folder: Path, name: str, phrase: str) -> None:
    (folder / "loop").symlink_to("loop")
    with pytest.raises(InvalidConfig) as caught:
        load(folder / name, ENV)
    (problem,) = caught.value.problems
    assert phrase in problem.message
    assert str(caught.value).replace("\n", "").isprintable()


def test_a_receiver_of_apprise_without_the_extra_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as if it were not there
    (problem,) = problems_of(folder, receiver('type = "apprise"\nurl = "tgram://x/y"'))
    assert str(problem) == 'receiver[0].type: needs pip install "claude-watcher[apprise]" (receiver "ops")'
