"""Checking, recording and running actions, and Undo."""
