"""The tokens of a SCIM filter (RFC 7644), independent of the code that writes filters and of the sandbox's parser."""

import re

_TOKEN = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*"|[()\[\]]|[A-Za-z0-9_.:-]+)[ \t]*', re.DOTALL)


def tokens_of(condition: str) -> list[str]:
    """Return strings in their quotation marks, words and brackets. Raises ValueError for anything else."""
    tokens, position = [], 0
    while position < len(condition):
        found = _TOKEN.match(condition, position)
        if not found:
            raise ValueError(f"no token at {condition[position:]!r}")
        tokens.append(found[1])
        position = found.end()
    return tokens
