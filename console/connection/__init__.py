"""An organization's connection to PingOne: its settings and its checks."""
