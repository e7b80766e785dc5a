"""The limits that the provider enforces, as they were read last: on spend, of members, on traffic."""

from watcher.limits.report import CappedMember, CappedScope, LimitsReport, limits_report

__all__ = ["CappedMember", "CappedScope", "LimitsReport", "limits_report"]
