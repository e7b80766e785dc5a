"""Judgement, pure: no clock, no file, no network. `watcher` and `notifiers` import it, never the other way round."""

OWNER = "claude-watcher"  # `rules` is also a name on PyPI; watcher.ownership checks that this one is ours
