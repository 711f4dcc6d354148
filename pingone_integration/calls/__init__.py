"""How a call to PingOne is made: authorization, timeouts, limits, retries, pages, and errors."""
