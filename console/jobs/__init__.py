"""Jobs: one action on many users, with a preview of every row."""
