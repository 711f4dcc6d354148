"""Account recovery by users themselves, at /recover/<org>/."""
