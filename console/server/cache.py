"""The default cache: a table that all processes share, with copies in each process, so that a page rarely asks it."""

from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache

COPIES_S = 30  # another process may have changed the value since
_MISSING = object()


class SharedCache(DatabaseCache):
    """Django's database cache. It may lose any value, and give one for some seconds after it was changed or ended."""

    def __init__(self, table: str, params: dict[str, Any]) -> None:
        super().__init__(table, params)
        self._copies = LocMemCache(f"copies of {table}", {})

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """Return the values that are known; `get` asks here too."""
        copies = {key: self._copies.get(key, _MISSING, version) for key in keys}
        known = {key: value for key, value in copies.items() if value is not _MISSING}
        found: dict[Any, Any] = super().get_many([key for key in copies if key not in known], version)
        self._copies.set_many(found, COPIES_S, version)
        return known | found

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        super().set(key, value, timeout, version)
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        self._copies.set(key, value, COPIES_S if seconds is None else min(seconds, COPIES_S), version)

    def delete(self, key: Any, version: int | None = None) -> bool:
        self._copies.delete(key, version)
        return bool(super().delete(key, version))

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        doomed = list(keys)
        self._copies.delete_many(doomed, version)
        super().delete_many(doomed, version)

    def clear(self) -> None:
        self._copies.clear()
        super().clear()
