"""What was done with Claude Code: by person, model and day, what the API bills and what subscriptions hold apart."""

from watcher.claude_code.report import DIMENSIONS, By, Figures, Report, Row, Section, claude_code_report

__all__ = ["DIMENSIONS", "By", "Figures", "Report", "Row", "Section", "claude_code_report"]
