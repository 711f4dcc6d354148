"""How there is an access token: Connect, OAuth 2.0, refreshing, regions and environments."""
