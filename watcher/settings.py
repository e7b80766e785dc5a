"""What the configuration says, once it has been read and found right (`watcher.config.load` makes it).

Every value is frozen and final: paths are absolute, durations are timedeltas, money is nano-dollars, secrets are
`Secret` and show nothing of themselves in a repr, a log line or an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from rules.digest import DigestRule
from rules.drift import DriftRule
from rules.model import AnomalyRule, Budget, Dimension, Route, Selector
from rules.owned import Owner
from rules.policy import Policy
from rules.prices import PriceRule
from watcher.pricing import OwnPrice
from watcher.public_holidays import Region
from watcher.secret import Secret


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """How to reach the Admin API of one organization. `base_url` has no trailing slash; it is https, or http on
    loopback."""

    base_url: str
    admin_key: Secret
    proxy: Secret | None = None
    """The whole URL of the proxy: it may hold a password."""
    ca_file: Path | None = None
    """A PEM bundle to trust in place of the system's; absolute."""
    label: str = ""
    """What the configuration calls the organization; "" where it stands alone in [anthropic]."""
    action_key: Secret | None = None
    """The Admin key that keys are changed with; None for `admin_key`."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the database is, and how long it remembers."""

    url: str = field(repr=False)
    """The whole SQLAlchemy URL as `Store.open` takes it, password and all: hand it over, show `shown` instead.
    A sqlite path in it is absolute."""
    keep: timedelta = timedelta(days=400)
    path: Path | None = None
    """The database file, absolute, when it is SQLite; None for PostgreSQL."""

    @property
    def shown(self) -> str:
        """The database for people: the file, or the PostgreSQL URL without user, password and options."""
        if self.path is not None:
            return str(self.path)
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """A certificate chain and its key, as PEM files; absolute."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where the status page and `/metrics` are served, and to whom. Port 0 takes any that is free.

    An address that is not loopback's has a token or a password, and is encrypted or `behind_proxy`.
    """

    host: str = "127.0.0.1"
    port: int = 9477
    external_url: str | None = None
    """Where others reach the page."""
    hosts: tuple[str, ...] = ()
    """Further names that requests may have in their Host header, in lower case."""
    token: Secret | None = None
    """Of bearer authentication."""
    username: str = ""
    password: Secret | None = None
    """Of basic authentication."""
    tls: TlsSettings | None = None
    behind_proxy: bool = False
    """Whether what stands before it encrypts what is sent."""

    @property
    def listen(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port

    @property
    def everywhere(self) -> bool:
        """Whether it listens on every address of the machine."""
        return self.host in {"0.0.0.0", "::"}  # noqa: S104 - this asks for it, and does not bind it

    @property
    def link(self) -> str:
        """Where a message sends its reader; "" where that is not known before the start."""
        if self.external_url is not None:
            return self.external_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host}:{self.port}/" if self.port and not self.everywhere else ""


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Which series `/metrics` has."""

    per: tuple[Dimension, ...] = ("workspace", "api_key", "model")
    """The dimensions that have rows beside the organization's own."""
    top: int = 10
    """How many of each have rows of their own; also how many lines of budgets and firing anomalies are shown."""
    every_key: bool = False
    """Whether every key has a row of its own."""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """How often each source is asked, and how far back the first start reads."""

    usage_every: timedelta = timedelta(minutes=5)
    cost_every: timedelta = timedelta(hours=1)
    backfill: timedelta = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class WaySettings:
    """How to get to a receiver over HTTP."""

    allow_private: bool = False
    """Whether http:// and private or loopback addresses are allowed."""
    proxy: Secret | None = None
    """The whole URL of the proxy: it may hold a password."""
    ca_file: Path | None = None
    """A PEM bundle to trust in place of the system's; absolute."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """A Slack incoming webhook. Its URL is a secret: who has it can post."""

    name: str
    url: Secret
    way: WaySettings = field(default_factory=WaySettings)
    type: Literal["slack"] = "slack"


@dataclass(frozen=True, slots=True)
class SlackBotSettings:
    """A Slack channel that a bot posts to. Both tokens are secrets."""

    name: str
    bot_token: Secret
    channel: str
    """The channel's id."""
    way: WaySettings = field(default_factory=WaySettings)
    app_token: Secret | None = None
    """With it messages have buttons, and what is pressed is listened for (Socket Mode)."""
    actors: tuple[str, ...] = ()
    """The ids of the Slack users who may press them; everybody in the channel, if it names nobody."""
    api_url: str = "https://slack.com/api/"
    type: Literal["slack"] = "slack"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """An address that takes each message as a JSON POST."""

    name: str
    url: Secret
    way: WaySettings = field(default_factory=WaySettings)
    secret: Secret | None = None
    """What messages are signed with: one or several `whsec_…`, with blanks between."""
    type: Literal["webhook"] = "webhook"


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Messages to standard output."""

    name: str
    type: Literal["console"] = "console"


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """An Alertmanager, or the members of a cluster of them."""

    name: str
    urls: tuple[Secret, ...]
    way: WaySettings = field(default_factory=WaySettings)
    username: str = ""
    """Of basic authentication; "" where there is none."""
    password: Secret | None = None
    token: Secret | None = None
    """Of bearer authentication."""
    resend_every: timedelta = timedelta(minutes=1)
    type: Literal["alertmanager"] = "alertmanager"


@dataclass(frozen=True, slots=True)
class PagerDutySettings:
    """A service of PagerDuty, by the routing key of its Events API v2 integration."""

    name: str
    routing_key: Secret
    way: WaySettings = field(default_factory=WaySettings)
    service_region: str = "us"
    """The account's region, "us" or "eu"."""
    url: Secret | None = None
    """Where events go instead of the region's address."""
    type: Literal["pagerduty"] = "pagerduty"


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """A mail server, and who gets mail from whom."""

    name: str
    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    allow_plain: bool = False
    username: str = ""
    """"" where nobody signs in."""
    password: Secret | None = None
    ca_file: Path | None = None
    """A PEM bundle to trust in place of the system's; absolute."""
    type: Literal["email"] = "email"


@dataclass(frozen=True, slots=True)
class AppriseSettings:
    """Services by their apprise addresses, which hold what it takes to post there."""

    name: str
    urls: tuple[Secret, ...]
    type: Literal["apprise"] = "apprise"


ReceiverSettings: TypeAlias = (
    SlackSettings
    | SlackBotSettings
    | WebhookSettings
    | ConsoleSettings
    | AlertmanagerSettings
    | PagerDutySettings
    | EmailSettings
    | AppriseSettings
)


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """An address to ping after a whole successful cycle, and only then."""

    url: Secret
    way: WaySettings = field(default_factory=WaySettings)


@dataclass(frozen=True, slots=True)
class ShutoffSettings:
    """What may be done to keys, and the file that forbids it while it is there."""

    policy: Policy
    brake_file: Path | None = None


@dataclass(frozen=True, slots=True)
class EventSettings:
    """Something planned: from one local time to another, or on the public holidays of a region."""

    name: str
    select: Selector
    expect: float
    """How many times the usual may come; 1 and more."""
    timezone: str = "UTC"
    dates: tuple[datetime, datetime] | None = None
    """From when until before when, by the clock of `timezone`, without a zone; None for holidays."""
    repeat: str = ""
    """ "yearly", "weekly", or "" for once."""
    holidays: Region | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration."""

    path: Path
    """The config file it was read from, absolute."""
    organizations: tuple[OrganizationSettings, ...]
    """At least one; their labels differ."""
    store: StoreSettings
    http: HttpSettings = field(default_factory=HttpSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    poll: PollSettings = field(default_factory=PollSettings)
    budgets: tuple[Budget, ...] = ()
    anomalies: tuple[AnomalyRule, ...] = ()
    events: tuple[EventSettings, ...] = ()
    drift: DriftRule = field(default_factory=DriftRule)
    price_changes: PriceRule = field(default_factory=PriceRule)
    prices: tuple[OwnPrice, ...] = ()
    """What the owner says that models cost; of those that match, the first counts."""
    receivers: tuple[ReceiverSettings, ...] = ()
    routes: tuple[Route, ...] = ()
    digests: tuple[DigestRule, ...] = ()
    owners: tuple[Owner, ...] = ()
    """Whose alerts are whose; of those that match, the first counts."""
    heartbeat: HeartbeatSettings | None = None
    shutoff: ShutoffSettings | None = None
    """None: no key can be changed at all."""
    warnings: tuple[str, ...] = ()
    """Sentences about what is valid and probably not meant."""

    @property
    def incident_trackers(self) -> tuple[str, ...]:
        """The names of the receivers that open an incident for each alert, and want it closed."""
        return tuple(receiver.name for receiver in self.receivers if isinstance(receiver, PagerDutySettings))

    @property
    def labels(self) -> tuple[str, ...]:
        """What the organizations are called, in the order of the file."""
        return tuple(organization.label for organization in self.organizations)
