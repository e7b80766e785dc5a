"""A digest as each channel shows it: in full, within limits, harmless, and the same after the store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console
from slack_sdk.models.blocks import Block

from benchmarks.gallery_samples import HOSTILE_NAMES
from notifiers.bars import bars_of, png
from notifiers.console import print_story
from notifiers.digest_json import digest_json
from notifiers.email import EmailNotifier
from notifiers.email_message import email_message
from notifiers.http import OutgoingHttp
from notifiers.render import story
from notifiers.slack import LARGEST_BLOCKS, LONGEST_HEADER, slack_blocks, slack_message
from notifiers.story import plain_text
from notifiers.webhook import notification_json
from rules.digest import (
    BudgetStanding,
    Compared,
    DayBar,
    Digest,
    Fired,
    Mover,
    Newcomer,
    Projected,
)
from rules.model import Notification, Reason, Severity, State
from watcher.channels import make_notifier
from watcher.rehearsal import rehearsal
from watcher.settings import EmailSettings
from watcher.store.payload import Payload

USD = 1_000_000_000
NOW = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
DAYS = [date(2026, 10, 21) + timedelta(days=number) for number in range(28)]

DIGEST = Digest(
    name="morning",
    every="daily",
    timezone="Europe/Berlin",
    label="17 Nov 2026",
    first=date(2026, 11, 17),
    start=datetime(2026, 11, 16, 23, tzinfo=UTC),
    end=datetime(2026, 11, 17, 23, tzinfo=UTC),
    due_at=NOW,
    spent=116_150_000_000,
    settled=0,
    compared=(Compared("the day before", 209_260_000_000), Compared("the same weekday a week before", None)),
    usual=134_890_000_000,
    data_as_of=NOW,
    complete_until=NOW,
    month=Projected("November 2026", 1986 * USD, 3359 * USD, 3216 * USD, 3625 * USD, known=True),
    budgets=(
        BudgetStanding("all", "", "November 2026", "usd", 1986 * USD, 3000 * USD, 3359 * USD, 0, 3625 * USD),
        BudgetStanding("tokens", "prod", "18 Nov 2026", "output tokens", 1_200_000, 2_000_000),
    ),
    more_budgets=3,
    movers=(
        Mover("api_key", "k1", "batch-nightly", 60 * USD, 10 * USD, "more volume (6 times the tokens)"),
        Mover("model", "claude-x", "claude-x", 0, 70 * USD, "nothing of it any more"),
    ),
    fired=(
        Fired("a1", Severity.CRITICAL, State.FIRING, "batch-nightly spends $9 an hour", NOW, "acknowledged by ann"),
    ),
    more_fired=2,
    firing_now=1,
    done=("ann added a silence workspace=prod: deploy",),
    new_keys=(Newcomer("k9", "new-key", 0),),
    new_models=(Newcomer("claude-y", "claude-y", 3 * USD),),
    bars=tuple(DayBar(day, (90 + day.day) * USD, whole=True) for day in DAYS),
    limit=100 * USD,
    limit_of="organization",
)

TEXT = """\
📊 Daily digest, Tue 17 Nov 2026: $116.15 spent, −44 % on the day before
For comparison: the day before $209.26 (−44 %), the usual $134.89 (−14 %).
Of the same weekday a week before nothing, or not all, was read.
November 2026 so far: $1,986.00; it is expected to end at $3,359.00 (80 %: $3,216.00 to $3,625.00).
▇▇█████ ████▆▆▆ ▆▆▇▇▇▇▇ ▇▇▇▇▇▇▇
21 Oct                   17 Nov
a day, at most $121.00; the budget makes it $100.00

Budgets
• all, November 2026: $1,986.00 of $3,000.00 (66 %); forecast $3,359.00 (80 %: $0.00 to $3,625.00), over the limit
• tokens · prod, 18 Nov 2026: 1,200,000 of 2,000,000 output tokens (60 %)
• and 3 more; watcher budgets lists them

What moved, against the usual
• model claude-x $0.00, $70.00 less than usual: nothing of it any more
• key batch-nightly $60.00, $50.00 more than usual: more volume (6 times the tokens)

What fired
• 🔴 batch-nightly spends $9 an hour (acknowledged by ann)
• and 2 more; watcher alerts --all lists them
• 1 alert fires now

What was done
• ann added a silence workspace=prod: deploy

New
• key new-key, nothing spent with it
• model claude-y, $3.00

Org
digest morning, days of Europe/Berlin
data as of 08:00 UTC (just now)
estimated, nothing settled yet"""


def message(told: Digest = DIGEST, **more: object) -> Notification:
    return replace(Notification("id", "ops", Reason.DIGEST, (), NOW, "Org", digest=told), **more)


def test_it_is_told_in_this_order_and_in_these_words() -> None:
    assert plain_text(story(message()), 10_000) == TEXT


def test_one_of_several_organizations_begins_with_its_name() -> None:
    assert story(message(told_as="east")).title.startswith("east: Daily digest, Tue 17 Nov 2026")


def test_what_is_missing_late_and_partial_is_said() -> None:
    told = replace(DIGEST, complete_until=NOW - timedelta(hours=20), due_at=NOW - timedelta(hours=5), part="model x*")
    text = plain_text(story(message(told)), 10_000)
    assert "Of a part of the spend: model x*." in text
    assert "The figures are not whole yet: usage is known until Tue 17 Nov 12:00 UTC." in text
    assert "Told late: it was to come 04:00 Europe/Berlin." in text


def test_a_digest_of_nothing_is_told_too() -> None:
    nothing = Digest(
        "d", "weekly", "UTC", "9 Nov to 15 Nov 2026", date(2026, 11, 9), NOW, NOW, NOW, 0, 0, (), None, NOW, NOW
    )
    told = story(message(nothing))
    assert told.title == "Weekly digest, 9 Nov to 15 Nov 2026: $0.00 spent"
    assert [section.heading for section in told.sections] == ["What fired"]
    assert bars_of(message(nothing)) is None
    assert json.dumps(digest_json(nothing))


def test_a_terminal_of_80_columns_shows_no_longer_line() -> None:
    out = StringIO()
    print_story(story(message()), Console(file=out, width=80, no_color=True))
    assert max(map(len, out.getvalue().splitlines())) <= 80
    assert "Daily digest" in out.getvalue()


def hostile() -> Digest:
    name = "".join(HOSTILE_NAMES) * 3
    return replace(
        DIGEST,
        name=name,
        part=name,
        limit_of=name,
        budgets=tuple(replace(each, budget=name, scope=name) for each in DIGEST.budgets * 5),
        movers=tuple(replace(each, name=name) for each in DIGEST.movers * 5),
        fired=tuple(replace(each, summary=name, done=name) for each in DIGEST.fired * 10),
        done=(name,) * 6,
        new_keys=(Newcomer(name, name, USD),) * 6,
        unpriced=(name,) * 9,
    )


@pytest.mark.parametrize("told", [DIGEST, hostile()], ids=["plain", "hostile"])
def test_slack_takes_it_within_its_limits(told: Digest) -> None:
    blocks = slack_blocks(story(message(told)))
    assert [block.type for block in blocks][:2] == ["header", "rich_text"]
    assert blocks[-1].type == "context"
    for block in blocks:
        assert isinstance(block, Block)
        block.validate_json()
    body = slack_message(story(message(told)))
    assert len(json.dumps(body["blocks"], ensure_ascii=False)) <= LARGEST_BLOCKS + 500
    assert len(body["blocks"][0]["text"]["text"]) <= LONGEST_HEADER
    assert "<!" not in body["text"]


def test_e_mail_has_the_picture_inside_and_the_same_bytes_on_every_try() -> None:
    pictures = [bars_of(message()) for _ in range(2)]
    assert pictures[0] == pictures[1]
    mail = email_message(message(hostile()), "a@x.example", ["b@x.example"], chart=pictures[0])
    page = mail.get_body(("html",))
    assert page is not None
    assert f"cid:chart-{message().id}@x.example" in page.get_content()
    assert "<script" not in page.get_content()
    assert mail["Subject"].startswith("📊 Daily digest")
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds.count("image/png") == 1
    assert mail["References"] is None


def test_a_mail_server_of_the_configuration_sends_the_picture() -> None:
    made = make_notifier(EmailSettings("ops", "mail.example", 25, "a@x.example", ("b@x.example",)), OutgoingHttp())
    assert isinstance(made, EmailNotifier)
    assert made.charts(message()) == bars_of(message())


def test_the_picture_is_drawn_in_both_looks_and_whatever_the_names_are() -> None:
    for told in (hostile(), replace(DIGEST, limit=None, bars=DIGEST.bars[:1])):
        assert png(told).startswith(b"\x89PNG")
    assert png(DIGEST, "dark") != png(DIGEST)
    with pytest.raises(ValueError, match="nothing to draw"):
        png(replace(DIGEST, bars=()))


def test_the_webhook_has_every_figure_exactly_and_other_messages_have_no_such_key() -> None:
    body = notification_json(message())
    assert (body["reason"], body["alerts"], body["inhibited"]) == ("digest", [], [])
    told = body["digest"]
    assert (told["spent_usd"], told["usual_usd"], told["compared"][1]) == (
        "116.15",
        "134.89",
        {"with": "the same weekday a week before", "spent_usd": None},
    )
    assert [each["spent"] for each in told["budgets"]] == ["1986", 1_200_000]
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert "digest" not in notification_json(rehearsal("ops", NOW))


def test_it_comes_back_equal_from_the_store_and_older_messages_have_none() -> None:
    payload = Payload[Notification](Notification)
    for told in (DIGEST, replace(DIGEST, name="<!channel> \u202e 🚀")):
        assert payload.read(payload.write(message(told))) == message(told)
    older = json.loads(payload.write(rehearsal("ops", NOW)))
    del older["digest"]
    assert payload.read(json.dumps(older)).digest is None


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("anomaly", "Test: "),
        ("budget", "Test: "),
        ("resolved", "Test: "),
        ("digest", "Test: Daily digest, Tue 17 Nov 2026: $120.00 spent"),
    ],
)
def test_a_test_looks_like_the_real_thing_and_says_that_it_is_one(kind: str, title: str) -> None:
    told = story(rehearsal("ops", NOW, kind))
    assert told.headline.startswith("🧪 Test: ")
    assert told.title.startswith(title)
