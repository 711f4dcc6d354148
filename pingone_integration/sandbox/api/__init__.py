"""The management API: everything under `/v1`."""
