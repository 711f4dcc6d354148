"""Failures for people: in words, as a page, at a field, and for support."""
