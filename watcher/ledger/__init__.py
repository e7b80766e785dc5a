"""The ledger: what was spent, by key, model and hour, and how sure that is."""

from watcher.ledger.account import Bucket, SpendRow
from watcher.ledger.month import TOKEN_KINDS, UsedTokens
from watcher.ledger.settlement import DaySpend, settle_day
from watcher.ledger.spend import Previous, SpendReport, spend_report
from watcher.ledger.view import Ledger

__all__ = [
    "TOKEN_KINDS",
    "Bucket",
    "DaySpend",
    "Ledger",
    "Previous",
    "SpendReport",
    "SpendRow",
    "UsedTokens",
    "settle_day",
    "spend_report",
]
