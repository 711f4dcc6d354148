"""Limits on what happens in an hour or a day, alarms for org admins, and the count of people an operator looks at."""
