"""Every action on a user as data: its form, the values it reads before and after, and its button."""
