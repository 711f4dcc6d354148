"""The worker: the clock, the schedule, and the task queue that wakes it. The work itself is rows (models/work.py)."""
