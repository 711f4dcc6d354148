"""Time zones by their IANA names, as PingOne and operators write them."""

from functools import cache
from zoneinfo import available_timezones


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    return name in zones()


@cache
def _by_folded() -> dict[str, str]:
    return {name.casefold(): name for name in zones()}


def zone_named(typed: str) -> str:
    """Return the name of a zone as IANA writes it, however it was typed; "" if there is none."""
    return _by_folded().get(typed.strip().replace(" ", "_").casefold(), "")


def city_of(zone: str) -> str:
    return zone.rsplit("/", 1)[-1].replace("_", " ")
