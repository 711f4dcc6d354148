"""Emails: written as rows in the transaction that they tell of, and sent by the worker (transactional outbox)."""
