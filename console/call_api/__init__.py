"""Call API: one request to any PingOne endpoint, composed and checked."""
