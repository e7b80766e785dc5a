"""The picture in an e-mail: drawn of the anomaly that the message tells of, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.gallery_samples import notification, runaway_key, typical
from notifiers.alert_chart import chart_of
from notifiers.email import EmailNotifier
from notifiers.figure import HEIGHT, WIDTH
from notifiers.http import OutgoingHttp
from notifiers.pictures import SCALE, picture
from notifiers.slack_api import SlackApi
from notifiers.slack_bot import SlackBotNotifier
from rules.model import AnomalyEvidence
from tests.slack_workspace import BOT_TOKEN, CHANNEL, slack_workspace
from watcher.channels import make_notifier
from watcher.settings import EmailSettings


def test_an_anomaly_has_a_picture_with_the_stretch_that_is_not_normal_marked() -> None:
    alert = runaway_key()
    chart = chart_of(alert)
    assert chart is not None
    assert isinstance(alert.evidence, AnomalyEvidence)
    assert len(chart.points) == len(alert.evidence.points)
    assert chart.marked is not None
    assert chart.marked[0] == alert.starts_at < chart.marked[1]
    drawn = picture(notification(alert))
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")
    size = int.from_bytes(drawn[16:20], "big"), int.from_bytes(drawn[20:24], "big")
    assert size == (round(WIDTH * SCALE), round(HEIGHT * SCALE))


def test_where_there_is_nothing_to_draw_there_is_no_picture() -> None:
    alert = runaway_key()
    assert isinstance(alert.evidence, AnomalyEvidence)
    bare = replace(alert, evidence=replace(alert.evidence, points=()))
    assert picture(notification(bare)) is None


def test_a_digest_in_slack_has_its_days_in_the_thread_told_in_words_too() -> None:
    with slack_workspace() as slack:
        api = SlackApi(BOT_TOKEN, OutgoingHttp(timeout=5), f"{slack.url}/api/", allow_private=True)
        SlackBotNotifier("ops", CHANNEL, api).send(typical()["A digest"])
        ((picture, about),) = slack.uploads
        (asked,) = slack.called("files.getUploadURLExternal")
    assert picture.startswith(b"\x89PNG")
    assert about["thread_ts"] == slack.top[0]["ts"]
    assert asked["alt_txt"].startswith("A bar for each of ")


def test_a_receiver_of_mail_has_the_picture() -> None:
    receiver = EmailSettings("mail", "localhost", 25, "watcher@example.com", ("ann@example.com",), tls="none")
    notifier = make_notifier(receiver, OutgoingHttp())
    assert isinstance(notifier, EmailNotifier)
    drawn = notifier.charts(notification(runaway_key()))
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")
