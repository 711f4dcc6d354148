"""What an organization's connection to PingOne is set to, and how it is checked."""
