"""One file a channel, and the contract they share (`notifiers.base`)."""

OWNER = "claude-watcher"  # `notifiers` is also a name on PyPI; watcher.ownership checks that this one is ours
