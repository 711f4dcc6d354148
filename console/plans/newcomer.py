"""Somebody whom a plan is to create: as typed, before there is a user at PingOne."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pingone_integration import profiles
from pingone_integration.users import User

NOBODY = UUID(int=0)


def newcomer(inputs: Mapping[str, Any]) -> User:
    """Return the user whom the action user.create would create with these inputs."""
    return profiles.as_typed(NOBODY, profile=inputs["profile"], population_id=inputs.get("population_id"))


def is_newcomer(person: User) -> bool:
    return person.id == NOBODY
