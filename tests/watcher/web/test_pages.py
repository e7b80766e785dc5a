"""The pages as a browser, a scraper and a stranger see them: over a real socket."""

from __future__ import annotations

import html.parser
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from benchmarks.gallery_samples import hostile_key
from rules.budgets import Line
from rules.model import Alert, BudgetEvidence, Scope, Severity, SourceState, State, Subject
from tests.stage import ANYBODY
from watcher.actions.standing import ShutoffStanding
from watcher.metrics import Metrics
from watcher.overview import Overview, Spent
from watcher.status import Standing, Status
from watcher.web.app import build_app
from watcher.web.server import PageServer, PortTaken, bind

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
USD = 1_000_000_000
HOSTILE = (
    "<!channel>",
    "[bold]",
    '=HYPERLINK("http://x")',
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\u202egnp.yek\u200f\u202c",
    '" onmouseover="alert(1)',
    "{{7*7}}{% raw %}",
    "x" * 300,
    "a\x1b[31mb\x00\n\u2028c",
    "&lt;b&gt;",
)


def crossing(name: str = "organization", severity: Severity = Severity.CRITICAL) -> Alert:
    start, end = NOW.replace(day=1, hour=0, minute=0), datetime(2026, 12, 1, tzinfo=UTC)
    evidence = BudgetEvidence("November 2026", start, end, "UTC", 80.0, (), 81 * USD, 100 * USD, 0, NOW)
    subject = Subject(name, "budget", Scope("org"), "80")
    return Alert(f"id-{name}", subject, severity, State.FIRING, NOW, NOW, evidence, f'Budget "{name}" passed')


def status(*names: str) -> Status:
    rows = [Spent("organization", "org", names[0] if names else "Org", 12 * USD, 3456 * USD, 3000 * USD)]
    for level in ("workspace", "api_key", "model"):
        rows += [Spent(level, f"{level}-{place}", name, USD, 2 * USD, USD) for place, name in enumerate(names)]  # type: ignore[arg-type]
    start, end = NOW.replace(day=1, hour=0, minute=0), datetime(2026, 12, 1, tzinfo=UTC)
    budgets = tuple(
        Line(name, Scope("org"), name, "November 2026", start, end, 100 * USD, 81 * USD, 0) for name in names
    )
    overview = Overview("org", rows[0].name, NOW, NOW, NOW - timedelta(hours=1), tuple(rows), budgets)
    sources = (
        SourceState("usage", True, NOW - timedelta(hours=1), NOW, NOW),
        SourceState("cost", True, None, NOW, None, NOW, "answered 500"),
        SourceState("invites", False),
        SourceState("users"),
    )
    alerts = tuple(crossing(name) for name in names)
    standing = Standing("", "org", overview, alerts, sources, NOW, NOW, tuple(names))
    return Status(NOW, (standing,), (("ops", 2),), tuple(names))


def changed(status: Status, **changes: Any) -> Status:
    """The status with something else said of its organization."""
    return replace(status, standings=(replace(status.standings[0], **changes),))


EMPTY = Status(
    NOW, (Standing("", None, None, (), (), None, None, ("No cycle has ended yet.",)),), (), ("No cycle has ended yet.",)
)


@dataclass
class Served:
    """An application on a socket, whose status and readiness a test sets."""

    url: str = ""
    status: Status | Exception = EMPTY
    ready: bool = False
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").rsplit(":", 1)
        return host.strip("[]"), int(port)

    def read(self) -> Status:
        if isinstance(self.status, Exception):
            raise self.status
        return self.status

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, trust_env=False, timeout=60, verify=ANYBODY)

    def raw(self, sent: bytes) -> bytes:
        """How a few bytes on a connection of their own are answered, to the end of the answer's headers."""
        with socket.create_connection(self.address, timeout=60) as plug:
            plug.sendall(sent)
            answer = b""
            while b"\r\n\r\n" not in answer and (piece := plug.recv(65536)):
                answer += piece
            return answer


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[Served]:
    served = Served()
    app = build_app(served.read, served.metrics, lambda: served.ready)
    pages = PageServer(app, bind(host, 0))
    served.url = pages.url
    pages.start()
    yield served
    pages.stop()


@pytest.fixture(scope="module")
def site() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture(autouse=True)
def nothing_left(site: Served) -> None:
    site.status, site.ready = EMPTY, False


class Elements(html.parser.HTMLParser):
    """Which elements and attributes a page has, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.mark.parametrize("name", HOSTILE)
def test_an_anomaly_says_why_in_harmless_words(site: Served, name: str) -> None:
    site.status = changed(status("plain"), alerts=(hostile_key("plain"),))
    plain = Elements(site.get().text)
    assert "Why: key “plain” on plain (100 % of it); " in plain.text
    site.status = changed(status("plain"), alerts=(hostile_key(name),))
    assert Elements(site.get().text).tags == plain.tags


def test_names_bring_no_element_no_attribute_and_no_control_character(site: Served) -> None:
    site.status = status(*["plain"] * len(HOSTILE))
    plain = Elements(site.get().text)
    site.status = status(*HOSTILE)
    text = site.get().text
    hostile = Elements(text)
    assert sorted(set(hostile.tags)) == sorted(set(plain.tags))
    assert hostile.tags.count("script") == plain.tags.count("script") == 1, "the one that renews the page"
    assert hostile.tags.count("img") == 0
    assert not any(name.startswith("on") for name, _ in hostile.attributes)
    assert {name for name, _ in hostile.attributes} == {name for name, _ in plain.attributes}
    assert not set(text) & set("\x1b\x00\u202e\u200f\u202c\u2028")
    for shown in ("<!channel>", "[bold]", "</script><script>alert(1)</script>", "{{7*7}}{% raw %}", "&lt;b&gt;"):
        assert shown in hostile.text


def test_the_page_says_what_is_wrong_and_where_the_money_stands(site: Served) -> None:
    site.status = status("Northwind")
    page = Elements(site.get().text)
    for words in ("Northwind", "$12.00", "$3,456.00", "$3,000.00 of it settled", "failing since", "not offered"):
        assert words in page.text
    assert "(1) claude-watcher" in page.text


def test_of_several_organizations_each_has_its_part_and_one_that_fails_hides_no_other(site: Served) -> None:
    one = status("Northwind").standings[0]
    other = replace(
        status("Western").standings[0],
        label="<west>",
        organization="org_w",
        problems=("Source usage fails.",),
        alerts=(),
    )
    new = Standing("new", None, None, (), (), None, None, ("No cycle has ended yet.",))
    site.status = Status(NOW, (replace(one, label="north"), other, new), (), ("<west>: Source usage fails.",))
    page = Elements(site.get().text)
    assert page.tags.count("section") == 3
    assert "3 organizations" in page.text
    for words in ("north Northwind", "<west> Western", "<west>: Source usage fails.", "No cycle has ended yet."):
        assert words in page.text
    assert page.text.count("This month") >= 2
    assert page.text.count("waiting for the first cycle") == 1
    assert "critical north Budget" in page.text


def test_a_new_database_has_a_page_too(site: Served) -> None:
    page = Elements(site.get().text)
    assert "No cycle has ended yet." in page.text
    assert "Nothing has been judged yet." in page.text
    assert "Nothing fires." not in page.text


def test_that_nothing_fires_is_not_said_of_a_time_that_nobody_has_judged(site: Served) -> None:
    calm = changed(status("Org"), alerts=(), problems=())
    site.status = replace(calm, problems=())
    page = site.get().text
    assert "Nothing fires." in page
    assert '<b class="good">0</b>' in page
    stale = "No cycle has ended since 2026-11-20 06:20 UTC: is `watcher run` running?"
    late = changed(calm, problems=(stale,), last_cycle_at=NOW - timedelta(hours=6))
    site.status = replace(late, problems=(stale,))
    page = site.get().text
    assert "Nothing fires." not in page
    assert "Nothing fired when it was judged last, 2026-11-20 06:20 UTC." in page
    assert '<b class="good">0</b>' not in page


def test_a_command_in_a_sentence_is_code_and_a_name_with_the_same_mark_is_none(site: Served) -> None:
    told = (
        "No cycle has ended since 06:20 UTC: is `watcher run` running?",
        "Key <b>`\u202ex` <i>` has `no data`</b>, `<script>alert(1)</script>`.",
    )
    site.status = replace(changed(site.status, problems=told), problems=told)
    page = site.get().text
    assert "is <code>watcher run</code> running?" in page
    assert "<code>no data</code>" in page
    assert "Key &lt;b&gt;`�x` &lt;i&gt;`" in page
    assert "`&lt;script&gt;alert(1)&lt;/script&gt;`." in page


def test_an_address_that_is_not_there_leads_a_browser_back_and_tells_a_program_in_its_own_form(site: Served) -> None:
    page = site.get("/serie", Accept="text/html,*/*;q=0.8")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page." in page.text
    assert ("href", "/") in Elements(page.text).attributes
    assert site.get("/serie").text == "There is no such page.\n"
    answer = site.get("/api/v1/serie", Accept="text/html")
    assert (answer.status_code, answer.json()) == (404, {"error": "There is no such page."})


def test_every_answer_keeps_a_browser_from_doing_anything_but_showing_it(site: Served) -> None:
    for path in ("/", "/metrics", "/-/healthy", "/none"):
        headers = site.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_health_is_from_the_start_and_readiness_after_the_first_cycle(site: Served) -> None:
    assert site.get("/-/healthy").status_code == 200
    assert site.get("/-/ready").status_code == 503
    site.ready = True
    assert site.get("/-/ready").status_code == 200


def test_metrics_are_served_as_prometheus_wants_them(site: Served) -> None:
    answer = site.get("/metrics", Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert site.get("/metrics").headers["content-type"].startswith("text/plain; version=")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254", "", "localhost.", "a b"])
def test_another_host_name_is_refused_so_that_no_web_site_reads_the_page(site: Served, host: str) -> None:
    site.status = status("Northwind")
    answer = site.get("/", Host=host)
    assert answer.status_code == 400
    assert "Northwind" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9477", "127.0.0.1", "127.0.0.1:80", "[::1]:9477"])
def test_loopbacks_own_names_are_served(site: Served, host: str) -> None:
    assert site.get("/", Host=host).status_code == 200


def test_an_answer_over_an_open_connection_does_not_wait_for_the_acknowledgement_of_its_first_part(
    site: Served,
) -> None:
    """Which a peer's kernel delays by 40 ms: the least of many is what tells, however busy the machine is."""
    taken = []
    with httpx.Client(base_url=site.url, trust_env=False) as client:
        for _ in range(20):
            began = time.perf_counter()
            client.get("/-/healthy")
            taken.append(time.perf_counter() - began)
    assert min(taken[5:]) < 0.03, "the first ones are acknowledged at once"


def test_the_pages_can_be_served_on_ipv6() -> None:
    try:
        with serving("::1") as served:
            assert served.url.startswith("http://[::1]:")
            assert served.get("/-/healthy").status_code == 200
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")


def test_a_page_that_cannot_be_made_says_nothing_of_why(site: Served, caplog: pytest.LogCaptureFixture) -> None:
    site.status = RuntimeError("secret detail")
    answer = site.get()
    assert (answer.status_code, answer.text) == (500, "That did not work.\n")
    assert answer.headers["cache-control"] == "no-store"
    assert site.get("/-/healthy").status_code == 200


OK = b"Host: localhost\r\nConnection: close\r\n\r\n"
MALFORMED = [
    (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n" + OK + b"abc", 405),
    (b"PUT /metrics HTTP/1.1\r\n" + OK, 405),
    (b"DELETE /-/healthy HTTP/1.1\r\n" + OK, 405),
    (b"OPTIONS / HTTP/1.1\r\n" + OK, 405),
    (b"TRACE / HTTP/1.1\r\n" + OK, 405),
    (b"BREW /pot HTTP/1.1\r\n" + OK, 404),
    (b"GET /none HTTP/1.1\r\n" + OK, 404),
    (b"GET /-/healthy/ HTTP/1.1\r\n" + OK, 404),
    (b"GET //metrics HTTP/1.1\r\n" + OK, 404),
    (b"GET /../../etc/passwd HTTP/1.1\r\n" + OK, 404),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + OK, 404),
    (b"GET /%00 HTTP/1.1\r\n" + OK, 404),
    (b"GET /%ff%fe HTTP/1.1\r\n" + OK, 404),
    (b"GET /static/x HTTP/1.1\r\n" + OK, 404),
    (b"GET /<script> HTTP/1.1\r\n" + OK, 404),
    (b"GET /?" + b"a" * 8000 + b" HTTP/1.1\r\n" + OK, 200),
    (b"GET /metrics?name[]=x HTTP/1.1\r\n" + OK, 200),
    (b"HEAD / HTTP/1.1\r\n" + OK, 200),
    (b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", 200),
    (b"GET / HTTP/1.0\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + OK, 400),
    (b"GET / HTTP/a.b\r\n" + OK, 400),
    (b"GET /\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost localhost\n\n", 400),
    (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n" + OK, 400),
    (b"GET / HTTP/1.1\r\nTransfer-Encoding: nonsense\r\n" + OK, 400),
    (b"GET / HTTP/1.1\r\nX: \x00\r\n" + OK, 400),
    (b"GET / HTTP/1.1\r\nX y: z\r\n" + OK, 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 400),
    (b"GET /metrics HTTP/1.1\r\nAccept: " + b"application/openmetrics-text;version=x;" * 50 + b"\r\n" + OK, 200),
    (b"GET /metrics HTTP/1.1\r\nAccept: \xff\xfe;;,=;q=x\r\n" + OK, 200),
    (b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version\r\n" + OK, 200),
    (
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nHost: localhost\r\n\r\n",
        200,
    ),
]


@pytest.mark.parametrize(("sent", "expected"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_request_that_makes_no_sense_is_answered_and_nothing_more(
    site: Served, sent: bytes, expected: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = site.raw(sent)
    assert answer.startswith(b"HTTP/1.1 %d " % expected), answer[:200]
    assert b"Traceback" not in answer
    assert not any(record.exc_info for record in caplog.records)
    assert site.get("/-/healthy").status_code == 200


def test_connections_that_say_nothing_keep_no_one_from_being_served(site: Served) -> None:
    silent = [socket.create_connection(site.address) for _ in range(40)]
    try:
        assert site.get("/-/healthy").status_code == 200
    finally:
        for plug in silent:
            plug.close()


def test_a_taken_port_is_told_with_its_remedy_or_another_one_is_found() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port} cannot be served .* set another `listen`"):
            bind("127.0.0.1", port)
        with bind("127.0.0.1", port, or_any=True) as other:
            assert other.getsockname()[1] != port


def test_a_status_of_any_age_and_shape_makes_a_page(site: Served) -> None:
    for shape in (
        changed(status("a"), overview=None),
        changed(replace(status("a"), waiting=()), sources=(), alerts=(), last_cycle_at=None),
        changed(status("a"), alerts=tuple(crossing("a", severity) for severity in Severity)),
    ):
        site.status = shape
        assert site.get().status_code == 200


def test_a_storm_is_shown_in_part_and_counted_whole(site: Served) -> None:
    site.status = status(*(f"budget {number}" for number in range(250)))
    page = Elements(site.get().text)
    assert page.attributes.count(("class", "alert critical")) == 100
    assert page.tags.count("meter") == 100
    assert page.text.count("And 150 more") == 2
    assert "(250) claude-watcher" in page.text


def test_a_budget_without_a_limit_shows_its_spend_and_why_it_has_none(site: Served) -> None:
    found = status("plan")
    figures = found.standings[0].overview
    assert figures is not None
    lines = (replace(figures.budgets[0], limit=None, unlimited="the plan does not name this period"),)
    site.status = changed(found, overview=replace(figures, budgets=lines))
    page = site.get().text
    assert 'title="the plan does not name this period">no limit</span>' in page
    assert "$81.00" in page


def test_the_page_says_how_shutoff_stands_and_what_holds_it(site: Served) -> None:
    site.status = changed(status("Org"), shutoff=ShutoffStanding("auto", "actions are paused (<!channel></ul>)"))
    page = site.get().text
    assert "Shutoff: auto; nothing waits." in page
    assert "Actions are paused (&lt;!channel&gt;&lt;/ul&gt;): no key is changed, by policy or by hand." in page
    held = "Actions are paused (<!channel></ul>): no key is changed, by policy or by hand."
    site.status = replace(changed(site.status, problems=(held,)), problems=(held,))
    assert site.get().text.count("Actions are paused") == 1, "said once, among what is not as it should be"
    site.status = status("Org")
    assert "Shutoff" not in site.get().text
