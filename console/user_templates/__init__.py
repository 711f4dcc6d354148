"""Templates of users: a named list of groups and profile fields, edited by org admins, that plans give to a user."""
