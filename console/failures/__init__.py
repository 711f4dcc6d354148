"""How a failure reaches a person: in words, as a page, at a field, and for support."""
