"""Every action on a user as data: its form, what it reads before and after, and its button."""
