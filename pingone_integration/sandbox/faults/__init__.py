"""Fault injection: faults of single requests, changes to the data behind them, and the repair of both."""
