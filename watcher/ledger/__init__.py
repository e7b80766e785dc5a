"""The ledger: what was spent, by key, model and hour, and how sure that is."""

from watcher.ledger.settlement import DaySpend, settle_day
from watcher.ledger.spend import Bucket, SpendReport, SpendRow, spend_report
from watcher.ledger.view import Ledger

__all__ = ["Bucket", "DaySpend", "Ledger", "SpendReport", "SpendRow", "settle_day", "spend_report"]
