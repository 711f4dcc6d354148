"""`memberOfGroups` of a user."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from pingone_integration.sandbox import cursors, errors, filters
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, created, no_content, permits
from pingone_integration.sandbox.api.groups import find_group, group_body
from pingone_integration.sandbox.memberships import Membership, memberships_of
from pingone_integration.sandbox.models import Group, GroupMembership, User


@permits("dir:read:groupMembership")
def list_memberships(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    memberships = memberships_of(user)
    if call.query.get("filter"):
        node = filters.parse(call.query["filter"], {"type": frozenset({"eq"})})
        if not isinstance(node, filters.Comparison):
            raise errors.invalid_filter("Filter by one type.")
        memberships = [membership for membership in memberships if membership.type == node.value]
    listing, limit, start = lists.listing_of(call), call.limit(default=100, maximum=lists.MAXIMUM), 0
    if call.query.get("cursor"):
        start = int(cursors.unseal(call.query["cursor"], call.caller.token_id, listing))
    items = [_body(call, user, membership) for membership in memberships[start : start + limit]]
    body = lists.envelope(call, "groupMemberships", items, count=len(memberships))
    if len(memberships) > start + limit:
        body["_links"]["next"] = lists.link_to(call, cursors.seal(call.caller.token_id, listing, start + limit))
    return body


@permits("dir:read:groupMembership")
def read_membership(call: Call, user_id: UUID, group_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    return _body(call, user, _membership(user, group_id))


@permits("dir:create:groupMembership")
def add(call: Call, user_id: UUID) -> HttpResponse:
    user = call.user(user_id)
    try:
        group = find_group(call, UUID(str(call.body().get("id"))))
    except ValueError:
        raise errors.invalid_value("id", "Must be the id of a group.") from None
    _check_change(call, user, group)
    _check_may_join(user, group)
    GroupMembership.objects.create(user=user, group=group)
    record(call, "GROUP.MEMBER_ADDED", f"User added to group {group.name}", user)
    return created(_body(call, user, Membership(group, "DIRECT")))


@permits("dir:delete:groupMembership")
def remove(call: Call, user_id: UUID, group_id: UUID) -> HttpResponse:
    user = call.user(user_id)
    membership = _membership(user, group_id)
    _check_change(call, user, membership.group)
    if membership.type != "DIRECT":
        raise errors.refused("The membership is indirect: by a filter or through another group.")
    GroupMembership.objects.filter(user=user, group=membership.group).delete()
    record(call, "GROUP.MEMBER_REMOVED", f"User removed from group {membership.group.name}", user)
    return no_content()


def _membership(user: User, group_id: UUID) -> Membership:
    for membership in memberships_of(user):
        if membership.group.id == group_id:
            return membership
    raise errors.not_found()


def _check_change(call: Call, user: User, group: Group) -> None:
    """Refuse a group with roles if the user is the caller, and refuse any external group."""
    is_self = call.caller.user is not None and call.caller.user.id == user.id
    if is_self and group.role_assignments.exists():
        raise errors.not_allowed()
    if group.source_id:
        raise errors.refused("The members of an external group are managed where it comes from.")


def _check_may_join(user: User, group: Group) -> None:
    if GroupMembership.objects.filter(user=user, group=group).exists():
        raise errors.already_in_use("id")
    if group.population_id and group.population_id != user.population_id:
        other = errors.detail("CONSTRAINT_VIOLATION", "id", "The group belongs to another population.")
        raise errors.invalid_data(other)
    if Group.objects.filter(memberships__user=user, name=group.name).exists():
        namesake = errors.detail("CONSTRAINT_VIOLATION", "id", "The user is in a group of the same name.")
        raise errors.invalid_data(namesake)


def _body(call: Call, user: User, membership: Membership) -> dict[str, Any]:
    own, group = call.url(f"users/{user.id}"), membership.group
    body: dict[str, Any] = {
        "_links": {
            "self": {"href": f"{own}/memberOfGroups/{group.id}"},
            "user": {"href": own},
            "environment": {"href": call.url()},
            "group": {"href": call.url(f"groups/{group.id}")},
        },
        "id": str(group.id),
        "environment": {"id": str(group.environment_id)},
        "name": group.name,
        "type": membership.type,
    }
    if call.wants("expand", "group"):
        body["_embedded"] = {"group": group_body(call, group)}
    return body
