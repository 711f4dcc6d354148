"""`make demo`: its people, stories, processes and mails. Only `settings` needs Django."""
