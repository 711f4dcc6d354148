"""Membership as a filter: a group's own members, members by its filter, and members of nested groups."""

from uuid import UUID

from pingone_integration.sandbox.errors import ApiError
from pingone_integration.sandbox.filters import All, AnyOf, Comparison, Node, parse, uuid_of
from pingone_integration.sandbox.models import Group, GroupNesting
from pingone_integration.sandbox.search.conditions import MEMBERSHIP, supported

NOBODY = AnyOf(())


def expand(node: Node, environment_id: UUID, within: frozenset[UUID] = frozenset()) -> Node:
    """Replace each `memberOfGroups[id eq ...]` with the conditions of membership. Only direct memberships stay.

    `within` holds the groups being expanded around this group. A group that refers back to itself adds no users.
    """
    if isinstance(node, All):
        return All(tuple(expand(part, environment_id, within) for part in node.parts))
    if isinstance(node, AnyOf):
        return AnyOf(tuple(expand(part, environment_id, within) for part in node.parts))
    if node.attribute != MEMBERSHIP:
        return node
    group = Group.objects.filter(id=uuid_of(node.value), environment_id=environment_id).first()
    return members_of(group, within) if group else NOBODY


def members_of(group: Group, within: frozenset[UUID] = frozenset()) -> Node:
    """Return the condition of direct and indirect membership."""
    if group.id in within:
        return NOBODY
    within |= {group.id}
    ways: list[Node] = [Comparison(MEMBERSHIP, "eq", str(group.id))]
    by_filter = filter_of(group)
    if by_filter is not None:
        ways.append(expand(by_filter, group.environment_id, within))
    for nesting in GroupNesting.objects.filter(container=group).select_related("member"):
        ways.append(members_of(nesting.member, within))  # noqa: PERF401 - recursive, not a plain copy
    return ways[0] if len(ways) == 1 else AnyOf(tuple(ways))


def filter_of(group: Group) -> Node | None:
    """Return the condition of a dynamic group, or None if the group has no filter or an unsupported filter."""
    if not group.user_filter:
        return None
    try:
        condition = parse(group.user_filter, supported(group.environment_id))
    except ApiError:
        return None
    if group.population_id:
        return All((Comparison("population.id", "eq", str(group.population_id)), condition))
    return condition
