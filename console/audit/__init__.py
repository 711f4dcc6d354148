"""The audit log: how an entry is written, chained, found and worded."""
