"""The shape of `[[receiver]]`, by its type."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator

from watcher.config import receiver_values, slack_values, values
from watcher.config.table import Flag, Name, SecretText, Table, Text

_DAY = timedelta(days=1)

MailAddress = Annotated[str, PlainValidator(receiver_values.mail_address)]
SlackUser = Annotated[str, PlainValidator(slack_values.user)]
Resend = Annotated[
    timedelta, PlainValidator(values.duration(timedelta(seconds=10), _DAY, "each time, all that fires is sent"))
]


class EndpointTable(Table):
    """What the receivers that are sent to over HTTP have in common."""

    name: Name = Field(examples=['"ops"'])
    type: Text
    allow_private: Flag = Field(default=False, examples=["false"])
    proxy: SecretText | None = Field(None, examples=['"http://proxy.example:3128"'])
    proxy_file: Text | None = Field(None, examples=['"/run/secrets/proxy"'])
    ca_file: Text | None = Field(None, examples=['"/etc/ssl/company-ca.pem"'])


class SlackTable(EndpointTable):
    """`[[receiver]]` with `type = "slack"`."""

    url: SecretText | None = Field(None, examples=['"${SLACK_WEBHOOK_URL}"'])
    url_file: Text | None = Field(None, examples=['"/run/secrets/slack-url"'])
    bot_token: SecretText | None = Field(None, examples=['"${SLACK_BOT_TOKEN}"'])
    bot_token_file: Text | None = Field(None, examples=['"/run/secrets/slack-bot-token"'])
    channel: Annotated[str, PlainValidator(slack_values.channel)] | None = Field(None, examples=['"C0123456789"'])
    app_token: SecretText | None = Field(None, examples=['"${SLACK_APP_TOKEN}"'])
    app_token_file: Text | None = Field(None, examples=['"/run/secrets/slack-app-token"'])
    actors: Annotated[list[SlackUser], AfterValidator(slack_values.actors)] = Field([], examples=['["U0123456789"]'])
    api_url: Text | None = Field(None, examples=['"https://slack.com/api/"'])


class WebhookTable(EndpointTable):
    """`[[receiver]]` with `type = "webhook"`."""

    url: SecretText | None = Field(None, examples=['"${WEBHOOK_URL}"'])
    url_file: Text | None = Field(None, examples=['"/run/secrets/webhook-url"'])
    secret: SecretText | None = Field(None, examples=['"${WEBHOOK_SECRET}"'])
    secret_file: Text | None = Field(None, examples=['"/run/secrets/webhook-secret"'])


class AlertmanagerTable(EndpointTable):
    """`[[receiver]]` with `type = "alertmanager"`."""

    url: SecretText | None = Field(None, examples=['"http://alertmanager:9093"'])
    url_file: Text | None = Field(None, examples=['"/run/secrets/alertmanager-url"'])
    username: Text | None = Field(None, examples=['"watcher"'])
    password: SecretText | None = Field(None, examples=['"${ALERTMANAGER_PASSWORD}"'])
    password_file: Text | None = Field(None, examples=['"/run/secrets/alertmanager-password"'])
    token: SecretText | None = Field(None, examples=['"${ALERTMANAGER_TOKEN}"'])
    token_file: Text | None = Field(None, examples=['"/run/secrets/alertmanager-token"'])
    resend_every: Resend = Field(timedelta(minutes=1), examples=['"1m"'])


class PagerDutyTable(EndpointTable):
    """`[[receiver]]` with `type = "pagerduty"`."""

    routing_key: SecretText | None = Field(None, examples=['"${PAGERDUTY_ROUTING_KEY}"'])
    routing_key_file: Text | None = Field(None, examples=['"/run/secrets/pagerduty-routing-key"'])
    service_region: Annotated[str, PlainValidator(values.one_of("us", "eu"))] = Field("us", examples=['"eu"'])
    url: SecretText | None = Field(None, examples=['"https://events.pagerduty.com/v2/enqueue"'])
    url_file: Text | None = Field(None, examples=['"/run/secrets/pagerduty-url"'])


class EmailTable(Table):
    """`[[receiver]]` with `type = "email"`."""

    name: Name = Field(examples=['"finance"'])
    type: Text
    host: Annotated[str, PlainValidator(receiver_values.host)] = Field(examples=['"smtp.example"'])
    port: Annotated[int, PlainValidator(values.whole(1, 65_535))] | None = Field(None, examples=["587"])
    tls: Annotated[Literal["starttls", "implicit", "none"], PlainValidator(receiver_values.tls)] = Field(
        "starttls", examples=['"implicit"']
    )
    allow_plain: Flag = Field(default=False, examples=["false"])
    username: Text | None = Field(None, examples=['"watcher"'])
    password: SecretText | None = Field(None, examples=['"${SMTP_PASSWORD}"'])
    password_file: Text | None = Field(None, examples=['"/run/secrets/smtp-password"'])
    ca_file: Text | None = Field(None, examples=['"/etc/ssl/company-ca.pem"'])
    sender: MailAddress = Field(alias="from", examples=['"claude-watcher <watcher@team.example>"'])
    recipients: Annotated[list[MailAddress], AfterValidator(receiver_values.recipients)] = Field(
        alias="to", examples=['["finance@team.example"]']
    )


class AppriseTable(Table):
    """`[[receiver]]` with `type = "apprise"`."""

    name: Name = Field(examples=['"chat"'])
    type: Text
    url: SecretText | None = Field(None, examples=['"${APPRISE_URL}"'])
    url_file: Text | None = Field(None, examples=['"/run/secrets/apprise-url"'])


class ConsoleTable(Table):
    """`[[receiver]]` with `type = "console"`."""

    name: Name = Field(examples=['"terminal"'])
    type: Text


RECEIVERS: dict[str, type[EndpointTable | EmailTable | AppriseTable | ConsoleTable]] = {
    "slack": SlackTable,
    "webhook": WebhookTable,
    "alertmanager": AlertmanagerTable,
    "pagerduty": PagerDutyTable,
    "email": EmailTable,
    "apprise": AppriseTable,
    "console": ConsoleTable,
}
