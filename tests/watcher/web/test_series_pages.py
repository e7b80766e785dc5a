"""The pages behind the overview, and the JSON of the same: what they show, what they refuse, and how harmless it is."""

from __future__ import annotations

import gc
import html.parser
import json
import re
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from rules.model import Scope, State
from tests.watcher.web.page_stage import DAYS, NOW, ORGANIZATION, START, USD, Site, Size, site_of, view_of
from tests.watcher.web.test_pages import HOSTILE
from watcher.secret import Secret
from watcher.settings import HttpSettings
from watcher.web.answers import Answers
from watcher.web.asking import Refusal
from watcher.web.course import Courses
from watcher.web.present import price

PAGES = ("/", "/series", "/series?api_key=k0", "/alerts", "/keys", "/actions", "/prices")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of(tmp_path_factory.mktemp("plain")) as served:
        yield served


class Elements(html.parser.HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "script":
            self.scripts.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def paths(site: Site) -> list[str]:
    return [*PAGES, f"/alerts/{quote(site.alert.id)}"]


def api(path: str) -> str:
    return "/api/v1" + (path if path != "/" else "/overview")


def test_every_page_and_its_part_of_the_api_are_there(site: Site) -> None:
    for path in paths(site):
        page, form = site.get(path), site.get(api(path))
        assert (page.status_code, form.status_code) == (200, 200), path
        assert page.headers["content-type"].startswith("text/html")
        assert form.headers["content-type"] == "application/json"
        json.loads(form.text)


def test_a_series_has_the_hours_of_its_scope_alone(site: Site) -> None:
    form = site.get("/api/v1/series?api_key=k0&days=7").json()
    view = view_of(Size())
    rows = [at for at, leaf in enumerate(view.leaves) if leaf.api_key == "k0"]
    hours = form["hours"]
    assert len(hours) == 6 * 24 + 13
    first = (DAYS - 6) * 24
    told = [round(float(hour["observed_usd"]) * USD) for hour in hours]
    assert told == view.cost[rows, first:].sum(axis=0).tolist()
    assert hours[0]["hour"] == "2026-11-14T00:00:00Z"
    assert [hour["complete"] for hour in hours[-2:]] == [True, False]
    assert form["names"]["k0"] == "key-0"
    assert form["names"]["w0"] == "workspace-0"
    assert form["observed_usd"] == f"{sum(told) / USD:.9f}".rstrip("0")


def test_a_combination_is_a_scope_too_and_what_follows_from_it_is_told(site: Site) -> None:
    form = site.get("/api/v1/series?" + urlencode({"workspace": "w0", "model": "claude-opus-5-5", "days": 2})).json()
    assert form["scope"] == {"workspace": "w0", "model": "claude-opus-5-5"}
    inside = [{name: value for name, value in row.items() if name == "api_key"} for row in form["inside"]]
    assert {"api_key": "k0"} in inside
    assert all("model" not in row for row in inside)
    assert (
        site.get("/api/v1/series?tag:team=a&days=2").json()["observed_usd"]
        == (site.get("/api/v1/series?days=2").json()["observed_usd"])
    )


def test_hours_of_an_anomaly_are_marked_and_lie_over_the_band(site: Site) -> None:
    hours = site.get("/api/v1/series?api_key=k0&days=2").json()["hours"]
    odd = [hour for hour in hours if hour["anomaly"]]
    assert [hour["hour"] for hour in odd] == [f"2026-11-20T{at:02}:00:00Z" for at in range(3, 13)]
    assert all(float(hour["observed_usd"]) > float(hour["upper_usd"]) for hour in odd[1:-1])
    calm = [hour for hour in hours if not hour["anomaly"]]
    assert all(float(hour["observed_usd"]) < float(hour["upper_usd"]) for hour in calm)
    page = Elements(site.get("/series?api_key=k0&days=2").text)
    assert page.attributes.count(("class", "odd")) >= 11, "ten hours and their day"


def test_the_budget_of_the_scope_is_drawn_as_the_pace_that_keeps_it(site: Site) -> None:
    (budget,) = site.get("/api/v1/series").json()["budgets"]
    assert float(budget["even_usd_per_hour"]) == pytest.approx(100_000 / 720)
    assert site.get("/api/v1/series?workspace=w0").json()["budgets"] == []
    assert "even pace of budget organization" in Elements(site.get("/series").text).text


def test_the_tables_say_what_the_chart_says_without_any_script(site: Site) -> None:
    form = site.get("/api/v1/series?api_key=k0&days=7").json()
    page = Elements(site.get("/series?api_key=k0&days=7").text)
    assert "key-0" in page.text
    assert "2026-11-14" in page.text
    assert f"${float(form['hours'][-2]['observed_usd']):,.2f}" in page.text
    assert page.tags.count("table") >= 3


def test_keys_are_told_with_their_spend_state_owner_and_what_protects_them(site: Site) -> None:
    form = site.get("/api/v1/keys").json()
    assert form["found"] == 6
    by_id = {row["id"]: row for row in form["keys"]}
    view = view_of(Size())
    rows = [at for at, leaf in enumerate(view.leaves) if leaf.api_key == "k1"]
    month = (NOW.replace(day=1, hour=0, minute=0) - START).days * 24
    assert round(float(by_id["k1"]["month_usd"]) * USD) == view.cost[rows, month:].sum()
    assert by_id["k1"]["protected_by"] == 'protect.api_key names it ("k1")'
    assert by_id["k2"]["protected_by"] is None
    assert by_id["k1"]["status"] == "active"
    assert by_id["k1"]["owner"] == "Ada-1 (ada@team.example)"
    assert [row["id"] for row in site.get("/api/v1/keys?q=KEY-4").json()["keys"]] == ["k4"]
    assert site.get("/api/v1/keys?state=inactive").json()["found"] == 0
    assert [row["name"] for row in site.get("/api/v1/keys?sort=name").json()["keys"]][:2] == ["key-0", "key-1"]


def test_an_alert_is_explained_with_its_hours_and_its_messages(site: Site) -> None:
    page = Elements(site.get(f"/alerts/{site.alert.id}").text)
    for words in ("What was decided", "No message tells of it.", "watcher explain"):
        assert words in page.text
    form = site.get(f"/api/v1/alerts/{site.alert.id}").json()
    assert form["alert"]["id"] == site.alert.id
    assert [row["id"] for row in site.get("/api/v1/alerts").json()["open"]] == [site.alert.id]


def test_the_journal_and_the_state_of_shutoff_are_shown(site: Site) -> None:
    (row,) = site.get("/api/v1/actions").json()["actions"]
    assert (row["id"], row["state"], row["key"], row["amount_usd"]) == ("act1", "proposed", "k0", "60")
    page = Elements(site.get("/actions").text).text
    assert "by approval" in page
    assert "somebody allows it" in page
    overview = Elements(site.get("/").text).text
    assert "Shutoffby approval" in overview
    assert "1 open" in overview


def test_prices_of_the_models_in_use_are_listed(site: Site) -> None:
    form = site.get("/api/v1/prices").json()
    assert {line["model"] for line in form["prices"]} == {"claude-opus-5-5", "claude-sonnet-5-5"}
    assert form["reconciliation"] == []
    assert "No day has a bill yet." in Elements(site.get("/prices").text).text


def test_until_a_cycle_has_ended_there_are_pages_that_say_so(tmp_path: Path) -> None:
    with site_of(tmp_path, cycled=False) as site:
        answer = site.get("/series")
        assert answer.status_code == 503
        assert "The first cycle since the start has not ended yet" in answer.text
        assert site.get("/api/v1/series").json() == {
            "error": "The first cycle since the start has not ended yet: its hours are shown then."
        }
        assert site.get("/api/v1/keys").json()["keys"][0]["month_usd"] is None
        for path in ("/", "/alerts", f"/alerts/{site.alert.id}", "/keys", "/actions", "/prices"):
            assert site.get(path).status_code == 200, path


def test_names_bring_no_element_no_attribute_and_no_script(site: Site, tmp_path: Path) -> None:
    with site_of(tmp_path, names=HOSTILE) as hostile:
        for plain_path, path in zip(paths(site), paths(hostile), strict=True):
            plain, text = Elements(site.get(plain_path).text), hostile.get(path).text
            found = Elements(text)
            assert set(found.tags) <= set(plain.tags) | {"span"}, path
            assert "img" not in found.tags
            assert not any(name.startswith("on") or name == "style" for name, _ in found.attributes), path
            assert [script.get("src") for script in found.scripts] == [script.get("src") for script in plain.scripts]
            for script in found.scripts:
                assert script.get("type") == "application/json" or str(script.get("src")).startswith("/static/"), path
            assert not set(text) & set("\x1b\x00\u202e\u200f\u202c\u2028"), path
            hostile.get(api(path)).json()


def test_nothing_but_our_own_files_is_asked_for(site: Site) -> None:
    for path in paths(site):
        answer = site.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert not re.findall(r"""(?:src|href|action)=["'](?!/|data:,|#content)[^"']*""", answer.text), path
        for address in re.findall(r"""(?:src|href)="(/static/[^"]+)""", answer.text):
            file = site.get(address)
            assert file.status_code == 200
            assert file.headers["cache-control"] == "private, max-age=86400"
            assert file.headers["x-content-type-options"] == "nosniff"


def test_credentials_are_asked_for_on_every_page_and_its_json(tmp_path: Path) -> None:
    settings = HttpSettings(token=Secret("right"), username="ann", password=Secret("pass"))
    with site_of(tmp_path, http=settings) as site:
        for path in [*paths(site), *map(api, paths(site)), "/static/page.js"]:
            assert site.get(path).status_code == 401, path
            assert site.get(path, Authorization="Bearer wrong").status_code == 401, path
            assert site.get(path, Authorization="Bearer right").status_code == 200, path
            assert site.get(path, Authorization="Bearer right", Host="evil.example").status_code == 400, path


REFUSED = [
    ("/series?api_key=nobody", 404),
    ("/series?api_key=k0&api_key=k1", 400),
    ("/series?days=3", 400),
    ("/series?days=-1", 400),
    ("/series?days=14%00", 400),
    ("/series?days=%C2%B2", 400),
    ("/series?days=" + "9" * 200, 400),
    ("/series?speed=fast", 400),
    ("/series?tag:=x", 400),
    ("/series?tag:none=x", 404),
    ("/series?organization=other", 404),
    ("/series?workspace=" + "w" * 1000, 400),
    ("/series?workspace=%3C%2Fscript%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404),
    ("/series?user=%E2%80%AE", 404),
    ("/series?model=%FF%FE", 404),
    ("/series?model='; DROP TABLE alerts; --", 404),
    ("/alerts?page=0", 400),
    ("/alerts?page=1e9", 400),
    ("/alerts?page=99999999999999999999", 400),
    ("/alerts?page=%D9%A1", 400),
    ("/alerts/none", 404),
    ("/alerts/%00", 404),
    ("/alerts/" + "a" * 5000, 404),
    ("/alerts/%3Cimg%20src=x%3E", 404),
    ("/alerts/..%2f..%2fetc%2fpasswd", 404),
    ("/keys?state=broken", 400),
    ("/keys?sort=__class__", 400),
    ("/keys?page=x", 400),
    ("/keys?q=" + "q" * 400, 400),
    ("/keys?[]=1", 400),
    ("/actions?page=-5", 400),
    ("/actions?state=sent", 400),
    ("/prices?day=2026-13-45", 400),
    ("/static/../app.py", 404),
    ("/static/%2e%2e%2fapp.py", 404),
    ("/static/base.html", 404),
]


@pytest.mark.parametrize(("path", "expected"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_understood_is_refused_with_a_sentence(
    site: Site, path: str, expected: int, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [site.get(path)] if path.startswith("/static") else [site.get(path), site.get("/api/v1" + path)]
    for answer in answers:
        assert answer.status_code == expected, answer.text
        assert "Traceback" not in answer.text
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text
        if answer.headers["content-type"] == "application/json":
            assert answer.json()["error"].endswith(".")
    assert not any(record.exc_info for record in caplog.records)


def test_only_reading_is_possible(site: Site) -> None:
    for path in [*paths(site), *map(api, paths(site))]:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert site.client.request(method, site.url + path).status_code == 405, (method, path)


def test_requests_of_every_kind_leave_nothing_behind(site: Site) -> None:
    asked = [f"/api/v1/series?api_key=none{at}" for at in range(30)] + [path for path, _ in REFUSED]
    for path in asked:
        site.get(path)
    gc.collect()
    tracemalloc.start()
    try:
        for path in asked:
            site.get(path)
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 300_000, "bytes after 66 requests"


def test_no_more_than_so_many_bands_are_kept_and_none_of_an_earlier_cycle(site: Site) -> None:
    looked = site.facts.looked()[""]
    courses = Courses(most=3)
    for key in ("k0", "k1", "k2", "k3", "k4"):
        courses.course(looked, {"api_key": key}, 2, (), ())
    assert courses.kept == 3
    courses.course(replace(looked), {"api_key": "k0"}, 2, (), ())
    assert courses.kept == 1


def test_nobody_waits_for_the_band_of_an_anomaly_that_fires(site: Site) -> None:
    looked = site.facts.looked()[""]
    firing = [
        replace(site.alert, id=f"a{key}", subject=replace(site.alert.subject, scope=Scope(ORGANIZATION, api_key=key)))
        for key in ("k0", "k1")
    ]
    ended = replace(firing[1], state=State.RESOLVED)
    courses = Courses()
    courses.learn(looked, (firing[0], ended))
    assert courses.kept == 2, "the organization's and that of the one that fires"
    courses.course(looked, {"api_key": "k0"}, 2, (), ())
    assert courses.kept == 2
    many = Courses()
    many.learn(looked, [replace(firing[0], subject=replace(firing[0].subject, scope=scope)) for scope in scopes()])
    assert many.kept == 6, "there is an end to it"


def scopes() -> Iterator[Scope]:
    for key in ("k0", "k1", "k2", "k3", "k4", "k5"):
        yield Scope(ORGANIZATION, api_key=key)


def processor_seconds(site: Site, path: str, times: int = 3) -> float:
    """The least that one request took, of the whole process, the one who asks included."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        assert site.get(path).status_code == 200
        taken.append(time.process_time() - began)
    return min(taken)


def test_pages_of_a_large_organization_come_quickly(tmp_path: Path) -> None:
    """Bounds with room; without it an overview takes 200 ms and a series 300 ms, the first time it is asked for."""
    with site_of(tmp_path, Size(keys=1000, models=10, workspaces=50)) as site:
        site.get("/alerts")
        site.facts.courses.learn(site.facts.looked()[""])  # as each cycle has it done
        assert processor_seconds(site, "/") < 0.4
        first = [processor_seconds(site, f"/series?api_key=k{at}", 1) for at in range(5)]
        assert min(first) < 0.6, first
        assert processor_seconds(site, "/series?api_key=k0") < 0.3
        assert processor_seconds(site, "/series?workspace=w1", 2) < 0.4
        assert processor_seconds(site, "/keys?page=5") < 0.6
        assert processor_seconds(site, "/api/v1/prices") < 0.4
        assert site.get("/api/v1/keys").json()["pages"] == 10


def test_the_organization_is_the_one_that_is_configured(site: Site) -> None:
    form = site.get("/api/v1/keys").json()
    assert form["organization"] == {"id": ORGANIZATION, "label": None, "name": "org-0"}
    assert form["cycle_at"] == "2026-11-20T12:20:00Z"


def test_of_several_organizations_a_page_is_about_the_one_that_is_named(site: Site) -> None:
    store, looked = site.facts.store, site.facts.looked()[""]
    settings = site.facts.settings()
    (only,) = settings.organizations
    both = replace(settings, organizations=(replace(only, label="<north>"), replace(only, label="south")))
    store.organizations.bind("<north>", ORGANIZATION, both.labels)
    try:
        answers = Answers(replace(site.facts, settings=lambda: both, looked=lambda: {"<north>": looked}))
        named = [("organization", "<north>"), ("days", "2"), ("api_key", "k0")]
        assert answers.series(named).form()["organization"]["label"] == "<north>"
        assert answers.keys([]).form()["organization"]["label"] == "<north>", "the first one"
        assert answers.keys([("organization", "south")]).form()["keys"] == []
        with pytest.raises(Refusal, match="The first cycle"):
            answers.series([("organization", "south")])
        with pytest.raises(Refusal, match="there are: <north>, south"):
            answers.alerts([("organization", "west")])
    finally:
        store.organizations.bind("", ORGANIZATION, settings.labels)


@pytest.mark.parametrize(
    ("exact", "shown"),
    [("0", "0.00"), ("4", "4.00"), ("0.8", "0.80"), ("0.0118", "0.0118"), ("0.00123456", "0.00123"), ("2.456", "2.46"),
     ("1234.5", "1,234.50"), ("0.999", "0.999")],
)  # fmt: skip
def test_a_price_has_two_decimals_or_the_first_three_digits(exact: str, shown: str) -> None:
    assert price(exact) == shown
