"""Search and display of PingOne users: searches, panels, facts, groups to add."""
