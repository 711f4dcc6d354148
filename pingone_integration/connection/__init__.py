"""How there is an access token: connecting, OAuth 2.0, refreshing, regions and environments."""
