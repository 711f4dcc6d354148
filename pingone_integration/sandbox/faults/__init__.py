"""Breaking the sandbox on purpose: faults of single requests, changes of the world behind them, and the way back."""
