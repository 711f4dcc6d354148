"""Backup and restore of the console's database, with the database's own means."""
