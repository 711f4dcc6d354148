"""The plans that come with the console: JSON files in the package, which work at once."""

from functools import cache
from pathlib import Path

from console.plans.definition import Definition, read_text

_ROOM = Path(__file__).parent / "shipped"
_ORDER = (
    *("onboard", "offboard", "move", "lost-phone", "compromised"),
    *("activate-until", "deactivate-until", "group-until", "bring-back"),
)


@cache
def shipped() -> dict[str, Definition]:
    """Return the shipped plans by ID, in the order of pages."""
    return {name: read_text((_ROOM / f"{name}.json").read_text(encoding="utf-8")) for name in _ORDER}
