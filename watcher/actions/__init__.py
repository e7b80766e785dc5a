"""The journal of actions on keys as people read it: words, JSON, and how shutoff stands."""
