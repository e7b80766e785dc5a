"""The heartbeat: a ping to a dead man's switch, which sounds when the pings stop."""

from __future__ import annotations

from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
from watcher.channels import over
from watcher.logs import logger
from watcher.settings import HeartbeatSettings

log = logger(__name__)


def ping(http: OutgoingHttp, heartbeat: HeartbeatSettings) -> bool:
    """Tell that a whole cycle has succeeded; returns whether it was heard. A failure is logged and not tried again."""
    try:
        way = heartbeat.way
        over(way, http).get(heartbeat.url.reveal(), allow_private=way.allow_private)
    except DeliveryError as error:
        log.warning("the heartbeat was not heard", why=error.reason)
        return False
    return True
