"""The OAuth connection to PingOne: connecting, access tokens, refresh, regions and environments."""
