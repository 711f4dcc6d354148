"""The types of command-line options: they clean what was pasted, as the fields of forms do."""

from pingone_integration.typed.text import Kind, clean


def identifier(typed: str) -> str:
    """Return an ID, a slug or a word to choose, without quotes around it and invisible characters."""
    return clean(typed, Kind.ID)


def text(typed: str) -> str:
    """Return a text for people, without invisible characters."""
    return clean(typed, Kind.NAME)


def address(typed: str) -> str:
    """Return an email address, or what may stand in its place: a username or an ID."""
    return clean(typed, Kind.ADDRESS)
