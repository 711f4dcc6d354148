"""Finding PingOne users and showing one: searches, panels, facts, groups to add."""
