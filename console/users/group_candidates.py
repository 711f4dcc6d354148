"""The groups that a user could join, and why the others are not possible, known before anything is tried."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console.perform.several import MOST_AT_ONCE
from pingone_integration import groups
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import PingOneError
from pingone_integration.groups import Group, GroupMembership
from pingone_integration.texts import Text
from pingone_integration.users import User

Memberships = Iterable[GroupMembership]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A group that an operator may want the user to join."""

    id: UUID
    name: str  # never empty
    description: str = ""
    hindrance: Text = ""  # why the user cannot join; empty if no reason is known
    is_chosen: bool = False
    carries_roles: bool | None = None  # administrator roles; None if not read, or PingOne does not say


def candidate_of(group: Group, user: User, own: Memberships, chosen: Iterable[UUID] = ()) -> Candidate:
    return Candidate(
        id=group.id,
        name=group.name or str(group.id),
        description=group.description,
        hindrance=_hindrance(group.id, group.population_id, group.source, user, own),
        is_chosen=group.id in chosen,
    )


def candidates_like(other: Memberships, user: User, own: Memberships) -> list[Candidate]:
    """Return the groups of another user. Groups that can be copied come first."""
    found = [
        Candidate(
            id=membership.group_id,
            name=membership.name or str(membership.group_id),
            description=membership.description,
            hindrance=_hindrance(membership.group_id, membership.population_id, membership.source, user, own)
            or _why_not_copied(membership),
        )
        for membership in other
    ]
    return sorted(found, key=lambda candidate: bool(candidate.hindrance))


def _why_not_copied(membership: GroupMembership) -> Text:
    if membership.is_direct:
        return ""
    if membership.user_filter:
        return _("Automatic, so it cannot be copied")
    return _("Through another group, so it cannot be copied")


def with_roles(api: PingOneApi, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates with `carries_roles` set: parallel calls, for at most MOST_AT_ONCE that can be joined."""
    candidates = list(candidates)
    asked = [candidate for candidate in candidates if not candidate.hindrance][:MOST_AT_ONCE]
    if not asked:
        return candidates
    answers: list[Any] = at_once(api, *(partial(groups.carries_roles, group_id=candidate.id) for candidate in asked))
    told = {
        candidate.id: None if isinstance(answer, PingOneError) else answer
        for candidate, answer in zip(asked, answers, strict=True)
    }
    return [replace(candidate, carries_roles=told.get(candidate.id)) for candidate in candidates]


def _hindrance(group_id: UUID, population_id: UUID | None, source: str, user: User, own: Memberships) -> Text:
    mine = next((membership for membership in own if membership.group_id == group_id), None)
    if mine and mine.is_direct:
        return _("Already a member")
    if source:
        return _("An external directory manages its members")
    if population_id and population_id != user.population_id:
        return _("Only for users in another population")
    return ""
