class Unusable(Exception):
    """A backup cannot be made or restored. The message says why; nothing was changed."""
