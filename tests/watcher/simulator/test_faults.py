"""Faults strike the requests they should, in the way they say, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from watcher.simulator.faults import KINDS, PRESETS, load_faults

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
ME = "/v1/organizations/me"
COST = "/v1/organizations/cost_report"
HOURS = {"starting_at": "2026-11-15T00:00:00Z", "bucket_width": "1h"}


def statuses(api, count, path=ME):
    return [api.client.get(path, params={}).status_code for _ in range(count)]


def test_every_nth_request_is_refused(serve):
    api = serve(faults="rate-limit")
    assert statuses(api, 8) == [200, 200, 200, 429, 200, 200, 200, 429]
    statuses(api, 3)
    response = api.client.get(ME)
    assert response.headers["retry-after"] == "1"
    assert response.json()["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("preset", "status", "kind"),
    [
        ("rate-limit-silent", 429, "rate_limit_error"),
        ("server-errors", 500, "api_error"),
        ("gateway-timeouts", 504, "timeout_error"),
        ("overloaded", 529, "overloaded_error"),
    ],
)
def test_errors_come_in_the_documented_envelope_without_retry_after(serve, preset, status, kind):
    api = serve(faults=preset)
    struck = [response for response in (api.client.get(ME) for _ in range(6)) if response.status_code != 200]
    assert [(each.status_code, each.json()["error"]["type"]) for each in struck] == [(status, kind)]
    assert "retry-after" not in struck[0].headers
    assert struck[0].headers["request-id"]


def test_html_resets_half_bodies_and_timeouts_are_what_they_are(serve, tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text(
        '[[fault]]\nkind = "html"\npath = "*/me"\ntimes = 1\n'
        '[[fault]]\nkind = "reset"\npath = "*/users"\ntimes = 1\n'
        '[[fault]]\nkind = "half-body"\npath = "*/api_keys"\ntimes = 1\n'
        '[[fault]]\nkind = "timeout"\npath = "*/invites"\ntimes = 1\nhang = 60\n'
    )
    api = serve(faults=file)
    page = api.client.get(ME)
    assert page.headers["content-type"].startswith("text/html")
    assert page.status_code == 503
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        api.get("users")
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        api.get("api_keys")
    with pytest.raises(httpx.ReadTimeout):
        api.client.get("/v1/organizations/invites", timeout=httpx.Timeout(60, read=0.1))
    for path in ("me", "users", "api_keys", "invites"):
        assert api.get(path)


def test_a_change_whose_answer_is_cut_in_half_was_made_and_one_that_met_a_reset_was_not(serve, tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text(
        '[[fault]]\nkind = "half-body"\nmethod = "post"\ntimes = 1\n[[fault]]\nkind = "reset"\nmethod = "post"\n'
    )
    api = serve(faults=file)
    done, undone = list(api.world.organization.keys)[:2]
    for key_id in (done, undone):
        with pytest.raises(httpx.TransportError):
            api.post(f"api_keys/{key_id}", {"status": "inactive"})
    assert api.get(f"api_keys/{done}")["status"] == "inactive"
    assert api.get(f"api_keys/{undone}")["status"] == "active"


def test_one_endpoint_can_be_forbidden_and_the_rest_goes_on(serve):
    api = serve(faults="forbidden-cost")
    assert api.get("cost_report", 403, starting_at="2026-11-10T00:00:00Z")["error"]["type"] == "permission_error"
    assert api.get("usage_report/messages", starting_at="2026-11-10T00:00:00Z")["data"]


def test_a_fault_lasts_as_long_as_it_says_and_can_be_lifted(serve):
    api = serve(faults="outage")
    seen = []
    for minutes in (0, 59, 60, 179, 180):
        api.now = START + timedelta(minutes=minutes)
        seen += statuses(api, 1)
    assert seen == [200, 200, 529, 529, 200]
    api.now = START + timedelta(hours=2)
    api.world.set_faults(None)
    assert statuses(api, 1) == [200]
    api.world.set_faults("forbidden-cost")
    assert statuses(api, 1, COST) == [403]


def test_a_stale_cursor_leads_back_to_the_page_just_read(serve, tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nkind = "stale-cursor"\npath = "*"\n')
    api = serve(faults=file)
    first = api.get("usage_report/messages", **HOURS)
    again = api.get("usage_report/messages", **HOURS, page=first["next_page"])
    assert again["has_more"]
    assert again["next_page"] == first["next_page"]
    assert again["data"] == first["data"]


def test_a_stray_cursor_stands_on_the_last_page(serve):
    api = serve(faults="stray-cursors")
    last = api.get("usage_report/messages", **HOURS, limit=168)
    assert not last["has_more"]
    assert last["next_page"] is not None


def test_a_lost_cursor_is_refused_and_first_pages_are_not(serve, tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nkind = "lost-cursor"\n')
    api = serve(faults=file)
    cursor = api.get("usage_report/messages", **HOURS)["next_page"]
    assert "page" in api.get("usage_report/messages", 400, **HOURS, page=cursor)["error"]["message"]


def used(page) -> list[int]:
    return [sum(row["output_tokens"] for row in bucket["results"]) for bucket in page["data"]]


def test_a_stall_shows_empty_buckets_and_everything_again_when_it_is_over(serve):
    api = serve(faults="stall")
    api.now = START + timedelta(hours=5)
    query = {"starting_at": "2026-11-16T10:00:00Z", "bucket_width": "1h"}
    stalled = used(api.get("usage_report/messages", **query))
    assert all(stalled[:3])
    assert stalled[3:] == [0] * 5
    days = api.get("usage_report/messages", starting_at="2026-11-15T00:00:00Z")
    assert all(used(days))
    minutes = api.get("usage_report/messages", starting_at="2026-11-16T12:40:00Z", bucket_width="1m", limit=5)
    assert used(minutes) == [0] * 5
    api.now = START + timedelta(hours=7)
    back = used(api.get("usage_report/messages", **query))
    assert back[2] > stalled[2]
    assert all(back[:9])


def test_the_open_hour_can_shrink(serve):
    api = serve(faults="shrinking-hour")
    api.now = START + timedelta(minutes=50)
    query = {"starting_at": "2026-11-16T11:00:00Z", "bucket_width": "1h"}
    whole, shrunk = (used(api.get("usage_report/messages", **query)) for _ in range(2))
    assert shrunk[0] == whole[0]
    assert shrunk[1] == pytest.approx(whole[1] * 0.6, abs=len(api.world.catalogue))


def test_rows_can_be_three_quarters_of_an_hour_late(serve):
    api = serve(faults="late-rows")
    api.now = START + timedelta(minutes=40)
    query = {"starting_at": "2026-11-16T11:00:00Z", "bucket_width": "1h"}
    late = used(api.get("usage_report/messages", **query))
    api.world.set_faults(None)
    assert late[1] == 0 < late[0]
    assert used(api.get("usage_report/messages", **query))[1] > 0


def test_the_newest_cost_day_can_be_empty_while_there_is_usage(serve):
    api = serve(faults="empty-cost-bucket")
    faulty = lines_a_day(api)
    api.world.set_faults(None)
    sound = lines_a_day(api)
    newest = max(place for place, rows in enumerate(sound) if rows)
    assert faulty == [*sound[:newest], 0, *sound[newest + 1 :]]


def test_the_newest_cost_day_can_be_filling_and_never_stands_still_for_half_a_day(serve):
    api = serve(faults="half-cost-day")
    days = []
    for hours in (12, 15, 19):
        api.now = START.replace(hour=0) + timedelta(hours=hours)
        days.append(lines_a_day(api))
    api.world.set_faults(None)
    sound = lines_a_day(api)
    assert [day[:2] for day in days] == [sound[:2]] * 3
    assert days[0][2] < days[1][2] < sound[2]


def lines_a_day(api) -> list[int]:
    query = {"starting_at": "2026-11-12T00:00:00Z", "group_by__": ["description", "workspace_id"]}
    return [len(bucket["results"]) for bucket in api.get("cost_report", **query)["data"]]


def test_an_unknown_preset_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match="empty-cost-bucket, flaky, forbidden-analytics, forbidden-cost"):
        load_faults("gremlins", START)
    assert {fault.kind for faults in PRESETS.values() for fault in faults} == set(KINDS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[fault]]\nkind = "418"', "kind must be one of"),
        ('[[fault]]\nkind = "500"\nevry = 2', "unknown setting 'evry'"),
        ('[[fault]]\nkind = "500"\nevery = 0', "every must be a number of at least 1"),
        ('[[fault]]\nkind = "500"\nfor = "long"', "not a length of time"),
        ('[[incident]]\nkind = "spike"', r"\[\[fault\]\] tables"),
    ],
)
def test_a_wrong_fault_file_is_refused_with_its_place(tmp_path, text, says):
    file = tmp_path / "faults.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=says) as caught:
        load_faults(file, START)
    assert "faults.toml" in str(caught.value)
