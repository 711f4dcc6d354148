"""Calls to PingOne: authorization, timeouts, limits, retries, pages, and errors."""
