"""The rows of a job as a request shows them: what changed since falls out, and nothing is added."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

MOST_FALLEN_PERCENT = 5  # then the whole job is asked for again

_NUMBER, _DIGEST = 4, 12  # bytes


def packed(digests: Mapping[int, bytes]) -> bytes:
    """Return the digests of rows by number, as they are stored."""
    return b"".join(number.to_bytes(_NUMBER) + digest for number, digest in sorted(digests.items()))


def unpacked(stored: bytes) -> dict[int, bytes]:
    size = _NUMBER + _DIGEST
    rows = (stored[start : start + size] for start in range(0, len(stored), size))
    return {int.from_bytes(row[:_NUMBER]): row[_NUMBER:] for row in rows}


def digest(of_row: str) -> bytes:
    return sha256(of_row.encode()).digest()[:_DIGEST]


def are_too_many(fallen: int, approved: int) -> bool:
    return fallen * 100 > approved * MOST_FALLEN_PERCENT


def fallen_out(approved: Mapping[int, bytes], now: Mapping[int, bytes]) -> tuple[list[int], list[int]]:
    """Return the rows that changed since, and those that were never shown."""
    changed = [number for number, digest in now.items() if number in approved and approved[number] != digest]
    added: Iterable[int] = now.keys() - approved.keys()
    return changed, sorted(added)
