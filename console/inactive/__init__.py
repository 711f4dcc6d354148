"""Inactive people: who never signed in, or not for long, as the last crawls found them."""
