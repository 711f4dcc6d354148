"""`make demo`: its people and processes. Only `settings` needs Django."""
