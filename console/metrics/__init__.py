"""Metrics for Prometheus: counts of all processes as rows, and the state of connections, audit log and work."""
