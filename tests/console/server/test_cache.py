"""The default cache: one table for all processes, made by a migration, that a page asks rarely."""

from collections.abc import Iterator

import pytest
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.server.cache import SharedCache

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def processes() -> Iterator[tuple[SharedCache, SharedCache]]:
    """Return the cache as two processes have it, on the table of the migration."""
    mine, others = SharedCache("console_cache", {}), SharedCache("console_cache", {})
    others._copies = LocMemCache("copies of another process", {})
    yield mine, others
    for cache in (mine, others):
        cache._copies.clear()


def queries(cache: BaseCache, key: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert cache.get(key) is not None
    return len(asked)


def test_processes_share_what_they_learn_and_ask_the_table_once(processes: tuple[SharedCache, SharedCache]) -> None:
    mine, others = processes
    mine.set("group", "Engineers", 300)

    assert others.get("group") == "Engineers"
    assert [queries(cache, "group") for cache in (mine, others, mine, others)] == [0, 0, 0, 0]
    assert mine.get_many(["group", "unknown"]) == {"group": "Engineers"}

    mine.set("attributes", None, 30)
    assert others.get("attributes", "unknown") is None  # a failure is remembered too


def test_nothing_is_kept_that_was_removed_or_has_ended(processes: tuple[SharedCache, SharedCache]) -> None:
    mine, _ = processes
    for key in ("ended", "deleted", "one-of-many", "cleared"):
        mine.set(key, "value", 0 if key == "ended" else 300)
    mine.delete("deleted")
    mine.delete_many(["one-of-many"])

    assert mine.get_many(["ended", "deleted", "one-of-many", "cleared"]) == {"cleared": "value"}
    mine.clear()
    assert mine.get("cleared") is None


def test_default_settings_use_it_after_migrate_alone() -> None:
    cache = CacheHandler({"default": {"BACKEND": "console.server.cache.SharedCache", "LOCATION": "console_cache"}})

    cache["default"].set("key", "value")
    assert cache["default"].get("key") == "value"
    cache["default"].clear()
