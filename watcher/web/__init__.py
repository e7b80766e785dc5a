"""The status page, the metrics and the health checks, on loopback."""
