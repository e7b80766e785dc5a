from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.gallery_samples import (
    NOW,
    alert,
    anomaly_evidence,
    budget_evidence,
    cold_cache,
    hostile_key,
    key_budget_exceeded,
    many,
    notification,
    organization_budget,
    runaway_key,
    spread_workspace,
    stalled_source,
    typical,
    usd,
    workspace_parent,
)
from notifiers.render import alert_story, story
from notifiers.story import Story, Tone, plain, plain_text
from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    UNATTRIBUTED,
    UNKNOWN,
    UNTAGGED,
    Alert,
    AnomalyEvidence,
    Reason,
    Scope,
    Severity,
    State,
    Subject,
)
from rules.quieted import Judged
from rules.summary import summarize


def told(of: Story) -> str:
    return plain_text(of, 100_000)


def assert_in_order(text: str, *parts: str) -> None:
    positions = [text.index(part) for part in parts]
    assert positions == sorted(positions), dict(zip(parts, positions, strict=True))


def test_of_several_organizations_the_title_says_which() -> None:
    one = story(notification(runaway_key()))
    of = story(replace(notification(runaway_key()), told_as="prod\u202e"))
    assert of.title == f"prod\ufffd: {one.title}"
    assert of.footer == ("organization prod\ufffd", *one.footer)
    assert len(story(replace(notification(runaway_key()), told_as="x" * 200)).title) <= 140
    named = replace(notification(runaway_key()), told_as=one.footer[0])
    assert story(named).footer == (f"organization {one.footer[0]}", *one.footer[1:])


def test_an_anomaly_is_told_in_the_order_in_which_a_person_asks() -> None:
    of = story(notification(runaway_key(), inhibited=(workspace_parent(),)))
    assert of.tone is Tone.CRITICAL
    assert of.title == "Key “batch-summariser” (Production) spends $84.30/h on claude-opus-5-5, normally $2.10/h"
    assert_in_order(
        told(of),
        "batch-summariser apikey_01Rj2N8SVvo6BePZj99NhmiT, workspace Production",
        "$380.50 since 10:00 UTC (4 h ago), where $10.50 is normal: 36 times as much.",
        "Now $84.30 an hour; $2.10 is normal",
        "Why: 82 % by dearer models (claude-opus-5-5 took over from claude-haiku-5-5), 17 % by more volume (7.0 times "
        "the tokens).",
        "behind the excess of workspace “Production”",
        "seen    ▁",
        "What drives the $370.00 too much",
        "• on claude-opus-5-5  $361.40  98 %",
        "• on claude-haiku-5-5  $8.60  2 %",
        "What happens next",
        "$2,023.20 in the next 24 hours",
        "What you can do",
        "watcher spend --where api_key=apikey_01Rj2N8SVvo6BePZj99NhmiT --by model --bucket hour "
        "--from 2026-11-20T10:00:00Z",
        "Tidewater Analytics",
        "data as of 14:00 UTC (8 min ago)",
        "estimated, nothing settled yet",
    )


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (cold_cache, "the prompt cache no longer hits (cache reads fell from 92 % to 3 % of the input)"),
        (spread_workspace, "spread over 40 keys, none above 4 %; more volume (3.1 times the tokens)"),
        (runaway_key, None),
    ],
)
def test_why_is_one_line_that_an_end_and_older_evidence_do_without(made: Callable[..., Alert], why: str | None) -> None:
    if why is not None:
        assert [plain(row) for row in alert_story(made(), NOW).lead if plain(row).startswith("Why")] == [f"Why: {why}."]
    assert isinstance(made().evidence, AnomalyEvidence)
    older = replace(made(), evidence=replace(made().evidence, cause=None))  # type: ignore[arg-type]
    for without in (alert_story(older, NOW), alert_story(replace(made(), state=State.RESOLVED), NOW)):
        assert "Why" not in told(without)


def test_an_anomaly_says_how_to_say_whether_it_was_meant_until_somebody_has() -> None:
    firing = replace(runaway_key(), id="a21decd1994303ff3af9")
    asks = "If it was meant to be: watcher feedback a21decd1 expected; if not, … real."
    assert_in_order(told(story(notification(firing))), "What you can do", asks)
    said = replace(firing, judged=Judged("real", "ana", NOW))
    assert "watcher feedback" not in told(story(notification(said)))
    assert "watcher feedback" not in told(story(notification(replace(firing, id="a;rm -rf"))))


def test_an_anomaly_that_was_expected_says_who_said_so_and_what_follows() -> None:
    firing = runaway_key()
    judged = Judged("expected", "ana\u202e", NOW, "the new nightly job")
    over = replace(firing, state=State.RESOLVED, ends_at=NOW, judged=judged)
    of = story(notification(over, reason=Reason.RESOLVED))
    assert of.title == "Key “batch-summariser” (Production): expected, says ana\ufffd"
    assert_in_order(
        told(of),
        "Expected, says ana\ufffd: the new nightly job",
        "it spent $380.50, where $10.50 is normal",
        "As much may come again at these hours for eight weeks, and is learnt; more than that is told.",
    )
    assert "back to normal" not in told(of)
    assert "was expected, says ana\ufffd: it had spent" in summarize(over)


def test_a_budget_is_told_beside_the_time_that_has_passed() -> None:
    of = story(notification(organization_budget()))
    assert of.title == "Budget “organization” passed 80 %: $8,050.12 of $10,000.00 for November 2026"
    assert_in_order(
        told(of),
        "$8,050.12 of $10,000.00 (81 %) since Sun 1 Nov 00:00 UTC",
        "65 % of the time has passed; an even pace would stand at $6,527.78.",
        "80 % was passed at 12:58 UTC (1 h 10 min ago), 50 % with it.",
        "key batch-summariser apikey_01batchXsummariser9NhmiT  $2,210.40  27 %",
        "all other keys together  $2,091.67  26 %",
        "$1,949.88 (19 %) is left until Tue 1 Dec 00:00 UTC, in 10 days.",
        "88 % settled, the rest estimated",
    )


def test_keys_are_told_before_models_and_the_rest_is_one_line() -> None:
    (driven,) = (section for section in alert_story(workspace_parent(), NOW).sections if "drives" in section.heading)
    assert [plain(row) for row in driven.lines] == [
        "key batch-summariser apikey_01Rj2N8SVvo6BePZj99NhmiT  $370.00  99 %",
        "key search-rerank apikey_01UfbGNm8Y6t4RYtQYwGyV1B  $4.00  1 %",
        "on claude-opus-5-5  $361.40  97 %",
        "on claude-haiku-5-5  $8.60  2 %",
    ]


def test_a_limit_that_is_passed_is_told_as_that() -> None:
    of = story(notification(key_budget_exceeded()))
    assert "for key “batch-summariser” (Production)" in of.title
    assert "The limit is passed by $29.31 (6 %); a new period begins Tue 1 Dec 00:00 UTC" in told(of)


def test_a_rolling_budget_speaks_of_no_period_that_ends_and_of_no_pace() -> None:
    evidence = replace(budget_evidence(80, 100, 80), rolling=True, period="the last 24 hours")
    text = told(story(notification(alert("budget", "b", evidence))))
    assert "for the last 24 hours" in text
    assert "$80.00 of $100.00 (80 %) in the last 24 hours." in text
    assert "80 % is told again once spend has been 10 % below it" in text
    assert "even pace" not in text
    assert "ended" not in text


def test_a_threshold_that_is_an_amount_is_called_by_it() -> None:
    evidence = replace(
        budget_evidence(80, 100, 80), threshold_amount=79_500_000_000, also_crossed_amounts=(60_000_000_000,)
    )
    text = told(story(notification(alert("budget", "b", evidence))))
    assert "passed $79.50" in text
    assert "$79.50 was passed at" in text
    assert "$60.00 with it" in text


def test_a_budget_speaks_in_its_own_zone_and_survives_one_that_is_gone() -> None:
    evidence = replace(
        budget_evidence(80, 100, 80), timezone="Asia/Tokyo", period_end=datetime(2026, 11, 30, 15, tzinfo=UTC)
    )
    assert "Tue 1 Dec 00:00 Asia/Tokyo" in told(story(notification(alert("budget", "b", evidence))))
    for zone in ("Mars/Olympus", "", "../etc/passwd"):
        assert "Mon 30 Nov 15:00 UTC" in told(
            story(notification(alert("budget", "b", replace(evidence, timezone=zone))))
        )


def test_a_source_is_told_with_its_consequence_and_its_remedy() -> None:
    of = story(notification(stalled_source()))
    assert_in_order(
        told(of), "🟠 No usage data", "Since 12:08 UTC (2 h ago).", "silent for 2 h", "What you can do", "If the"
    )


def test_the_first_judgement_names_everything_in_one_list() -> None:
    alerts = many(40)
    of = story(notification(*alerts, reason=Reason.INITIAL))
    assert of.title == "claude-watcher began watching Tidewater Analytics; already true: 40 alerts"
    rows = [plain(row) for section in of.sections for row in section.lines]
    assert len(rows) == 40
    assert all(any(one.summary in row for row in rows) for one in alerts)
    assert rows[0].startswith("🔴")


def test_a_first_judgement_without_alerts_says_so() -> None:
    of = story(notification(reason=Reason.INITIAL))
    assert of.title == "claude-watcher began watching Tidewater Analytics"
    assert "Nothing is out of the ordinary." in told(of)


def test_many_alerts_are_counted_in_the_title_the_worst_first_the_resolved_last() -> None:
    over = runaway_key(state=State.RESOLVED)
    of = story(notification(over, workspace_parent(), key_budget_exceeded(), stalled_source()))
    assert of.title == "4 alerts: 1 critical, 2 warning, 1 resolved"
    assert of.tone is Tone.CRITICAL
    assert [section.heading for section in of.sections] == ["Not normal", "Budgets", "Sources of data"]
    assert [plain(row)[0] for row in of.sections[0].lines] == ["🟠", "✅"]


def test_an_end_without_a_return_does_not_claim_one() -> None:
    alert = runaway_key(state=State.RESOLVED)
    assert isinstance(alert.evidence, AnomalyEvidence)
    evidence = replace(
        alert.evidence, after_per_hour=alert.evidence.per_hour, since=alert.evidence.data_as_of - timedelta(days=4)
    )
    still = replace(alert, evidence=evidence)
    of = story(notification(still, reason=Reason.RESOLVED))
    assert of.tone is Tone.WARNING
    assert re.fullmatch(
        r"Key “batch-summariser” \(Production\) still spends \$[0-9.]+/h, and that counts as its normal now", of.title
    )
    assert "It did not go back" in told(of)
    assert "until it counted as normal" in told(of)


def test_what_ends_within_a_day_without_a_return_is_allowed_and_not_normal() -> None:
    alert = runaway_key(state=State.RESOLVED)
    assert isinstance(alert.evidence, AnomalyEvidence)
    still = replace(alert, evidence=replace(alert.evidence, after_per_hour=alert.evidence.per_hour))
    of = story(notification(still, reason=Reason.RESOLVED))
    assert of.title.endswith("/h, and that is allowed now")
    assert "a planned event, feedback or a change of the configuration allows as much" in told(of)
    assert "normal now" not in of.title


def test_the_end_is_short() -> None:
    of = story(notification(runaway_key(state=State.RESOLVED), reason=Reason.RESOLVED))
    assert of.tone is Tone.RESOLVED
    assert of.title == "Key “batch-summariser” (Production) is back to normal"
    assert (
        "From 10:00 UTC to 13:48 UTC (3 h 48 min) it spent $380.50, where $10.50 is normal: $370.00 too much."
        in told(of)
    )
    assert of.sections == ()
    several = story(notification(*(replace(one, state=State.RESOLVED) for one in many(3)), reason=Reason.RESOLVED))
    assert (several.title, several.tone) == ("3 alerts resolved", Tone.RESOLVED)


@pytest.mark.parametrize("make", [organization_budget, stalled_source])
def test_budgets_and_sources_end_too(make: Callable[[], Alert]) -> None:
    over = replace(make(), state=State.RESOLVED, ends_at=NOW)
    of = alert_story(over, NOW)
    assert of.tone is Tone.RESOLVED
    assert re.search(r"no longer over 80 %|Over: No usage data", of.title)


def test_a_test_says_that_nothing_is_wrong_or_shows_what_it_was_asked_to_show() -> None:
    assert "Nothing is wrong" in told(story(notification(reason=Reason.TEST)))
    shown = story(notification(runaway_key(), reason=Reason.TEST))
    assert shown.title.startswith("Test: Key “batch-summariser”")
    assert shown.tone is Tone.TEST


@pytest.mark.parametrize(
    ("scope", "title"),
    [
        ({}, "The organization spends"),
        ({"workspace": "wrkspc_1"}, "Workspace “wrkspc_1” spends"),
        ({"workspace": DEFAULT_WORKSPACE}, "The default workspace spends"),
        ({"model": "claude-opus-5"}, "Model claude-opus-5 spends"),
        ({"api_key": CONSOLE}, "Console use spends"),
        ({"api_key": UNATTRIBUTED}, "Cost without usage spends"),
        ({"api_key": "apikey_1", "model": "claude-opus-5"}, "Key “apikey_1” on claude-opus-5 spends"),
        ({"api_key": CONSOLE, "workspace": DEFAULT_WORKSPACE}, "Console use (the default workspace) spends"),
    ],
)
def test_every_kind_of_scope_has_its_name(scope: dict[str, str], title: str) -> None:
    of = alert_story(alert("anomaly", "r", anomaly_evidence([1, 1, 50], 1, hours=1), scope=scope), NOW)
    assert of.title.startswith(title)
    assert any("What you can do" in section.heading for section in of.sections)


def test_prices_that_stand_in_are_said_to() -> None:
    evidence = replace(anomaly_evidence([1, 1, 50], 1, hours=1), unpriced=("claude-new-1",))
    assert "No price is known for claude-new-1" in told(alert_story(alert("anomaly", "r", evidence), NOW))


def test_nearly_nothing_makes_no_absurd_multiple() -> None:
    evidence = replace(anomaly_evidence([0, 0, 50], 0, hours=1), expected=usd(0.000001))
    text = told(alert_story(alert("anomaly", "r", evidence), NOW))
    assert "where <$0.01 is normal." in text
    assert "times as much" not in text


def test_a_message_is_told_as_of_its_creation_and_so_the_same_on_every_try() -> None:
    later = replace(notification(runaway_key()), created_at=NOW + timedelta(hours=2))
    assert "(6 h ago)" in told(story(later))
    assert told(story(later)) == told(story(later))


@pytest.mark.parametrize("severity", list(Severity))
def test_the_tone_is_the_severity(severity: Severity) -> None:
    assert str(story(notification(replace(runaway_key(), severity=severity))).tone) == str(severity)


def test_no_title_is_longer_than_channels_take() -> None:
    for message in (*typical().values(), notification(hostile_key("n" * 300)), notification(*many(9))):
        assert 0 < len(story(message).headline) <= 145


@pytest.mark.parametrize("longest", [10, 80, 500, 2900])
def test_plain_text_is_cut_at_a_line_and_within_its_length(longest: int) -> None:
    text = plain_text(story(notification(*many(200))), longest)
    assert len(text) <= longest
    assert text.endswith("…")


def test_a_source_that_fails_for_others_too_names_them() -> None:
    first = stalled_source()
    others = [replace(first, subject=replace(first.subject, instance=source)) for source in ("cost", "users")]
    of = told(story(notification(first, inhibited=tuple(others))))
    assert "The same is true of the cost report and the list of users: not told separately." in of
    many_more = [replace(first, subject=replace(first.subject, instance=f"source {n}")) for n in range(7)]
    assert "and 3 more: not told separately." in told(story(notification(first, inhibited=tuple(many_more))))


def about(names: dict[str, str] | None = None, **parts: str) -> Alert:
    """An anomaly whose scope has these parts; `tag_team` is the tag "team"."""
    scope = Scope.of("org", {part.replace("tag_", "tag:"): value for part, value in parts.items()})
    made = replace(runaway_key(), subject=Subject("rule", "anomaly", scope), names=names or {})
    evidence = replace(made.evidence, top=())  # type: ignore[type-var]
    return replace(made, evidence=evidence, summary=summarize(replace(made, evidence=evidence)))


@pytest.mark.parametrize(
    ("alert", "subject", "line", "summary"),
    [
        (about({"u1": "Ada"}, user="u1"), "User “Ada”", "User Ada u1", 'User "Ada" (u1)'),
        (about(user="u1"), "User “u1”", "User u1", "User u1"),
        (about(user=CONSOLE), "Console use", "Console use", "Console use"),
        (about(user=UNKNOWN), *["Keys of unknown owners"] * 3),
        (about(service_tier="batch"), *["The batch tier"] * 3),
        (about(service_tier=UNKNOWN), *["Usage of an unknown tier"] * 3),
        (about(model_family="opus"), *["The Opus family"] * 3),
        (about(model_family="claude-2.1"), *["The claude-2.1 family"] * 3),
        (about(tag_team="platform"), *["Tag team=platform"] * 3),
        (about(tag_team=UNTAGGED), *["Workspaces without tag team"] * 3),
        (
            about({"u1": "Ada", "w1": "Prod"}, user="u1", workspace="w1", model_family="opus", service_tier="batch"),
            "User “Ada” in workspace “Prod” on the Opus family in the batch tier",
            "User Ada u1, workspace Prod, on the Opus family, in the batch tier",
            'User "Ada" (u1) in workspace "Prod" on the Opus family in the batch tier',
        ),
        (
            about({"k1": "ci", "u1": "Ada"}, api_key="k1", user="u1", tag_team="a", tag_env=UNTAGGED),
            "Key “ci” of user “Ada” without tag env with tag team=a",
            "Key ci k1, user Ada u1, without tag env, with tag team=a",
            'Key "ci" (k1) of user "Ada" without tag env with tag team=a',
        ),
        (
            about({}, workspace="w1", model="claude-opus-5", service_tier=UNATTRIBUTED),
            "Workspace “w1” on claude-opus-5 without usage",
            "Workspace w1, model claude-opus-5, without usage",
            "Workspace w1 on claude-opus-5 without usage",
        ),
    ],
)
def test_every_scope_is_told_in_words(alert: Alert, subject: str, line: str, summary: str) -> None:
    of = alert_story(alert, NOW)
    assert of.title.startswith(f"{subject} spends $")
    assert plain(of.lead[0]) == line
    assert alert.summary.startswith(f"{summary} is spending $")


@pytest.mark.parametrize("hostile", ["<!channel>", "two\nlines", "pay\u202eroll", "x" * 300])
def test_hostile_tags_tiers_and_families_break_no_line(hostile: str) -> None:
    for part in ("tag_team", "service_tier", "model_family", "user"):
        alert = about(**{part: hostile})
        text = told(alert_story(alert, NOW))
        assert "\u202e" not in text + alert.summary
        assert "two\nlines" not in text + alert.summary
        assert "x" * 100 not in text + alert.summary
    key = about(**{f"tag_{hostile}": "x"})
    assert "\u202e" not in told(alert_story(key, NOW)) + key.summary


def test_whom_to_ask_is_named_where_that_is_known() -> None:
    owned = replace(about({"k1": "ci"}, api_key="k1"), owner="Ada (ada@team.example)")
    text = told(alert_story(owned, NOW))
    assert "Ask the key's owner, Ada (ada@team.example), or disable ci in the Claude Console" in text
    text = told(alert_story(replace(about(user="u1"), owner="Ada (ada@team.example)"), NOW))
    assert "Ask Ada (ada@team.example).\n" in text
    assert "Ask the key's owner, or disable" in told(alert_story(about(api_key="k1"), NOW))
    assert "It is use in the Console" in told(alert_story(about(user=CONSOLE), NOW))


@pytest.mark.parametrize(
    ("alert", "command"),
    [
        (about(), "watcher spend --by workspace,api_key --bucket"),
        (about(user="u1", model_family="opus"), "--where model_family=opus --where user=u1 --by api_key,model"),
        (about(api_key=CONSOLE), "--where 'api_key=(console)' --by model"),
        (about(tag_team="a'; rm -rf ~"), """--where 'tag:team=a'"'"'; rm -rf ~' --by"""),
        (about(tag_team="\x1b]8;;"), "watcher spend --by api_key,model"),
        (about(user="x" * 300), "watcher spend --by api_key,model"),
    ],
)
def test_the_command_that_shows_more_is_about_the_same_scope(alert: Alert, command: str) -> None:
    assert command in told(alert_story(alert, NOW))


def test_a_message_says_why_it_is_sent_where_that_is_not_the_news_itself() -> None:
    message = notification(runaway_key())
    plain_one = story(message)
    repeated = story(replace(message, reason=Reason.REPEATED))
    assert repeated.title.startswith("Still: Key “batch-summariser”")
    assert re.search(r"Told again, as it goes on; it began to fire .* ago\.", told(repeated))
    escalated = story(replace(message, reason=Reason.ESCALATED))
    assert escalated.title.startswith("Escalated: Key “batch-summariser”")
    ident = message.alerts[0].id
    assert f"nobody has acknowledged it. Take it: watcher ack {ident}" in told(escalated)
    joined = story(replace(message, reason=Reason.NEW))
    assert (joined.title, joined.footer[-1]) == (plain_one.title, "new in a group told before")
    several = story(replace(message, alerts=tuple(many(7)), reason=Reason.ESCALATED))
    assert several.title.startswith("Escalated: 7 alerts")
    assert "watcher ack" not in told(several)
