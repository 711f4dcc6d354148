"""Approvals: what an organization lets nobody do alone (four-eyes principle)."""
