"""The daemon: Admin API in; ledger, judgement, messages and metrics out. Read `watcher.cycle` first."""

OWNER = "claude-watcher"
__version__ = "0.1.0"
