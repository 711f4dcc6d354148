"""The groups of a user, with the type of each membership."""

from dataclasses import dataclass
from uuid import UUID

from pingone_integration.sandbox.models import Group, GroupNesting, User
from pingone_integration.sandbox.search.groups import expand, filter_of
from pingone_integration.sandbox.search.plan import condition_of


@dataclass(frozen=True)
class Membership:
    group: Group
    type: str  # DIRECT or INDIRECT


def memberships_of(user: User) -> list[Membership]:
    """Return memberships by group name. A user added by hand is DIRECT even if the filter matches too."""
    direct = {group.id: group for group in Group.objects.filter(memberships__user=user)}
    indirect = {group.id: group for group in _dynamic_groups_of(user) if group.id not in direct}
    containers = _containers([*direct.values(), *indirect.values()])
    indirect |= {group.id: group for group in containers if group.id not in direct}
    found = [Membership(group, "DIRECT") for group in direct.values()]
    found += [Membership(group, "INDIRECT") for group in indirect.values()]
    return sorted(found, key=lambda membership: (membership.group.name, str(membership.group.id)))


def _dynamic_groups_of(user: User) -> list[Group]:
    dynamic = Group.objects.filter(environment=user.environment).exclude(user_filter="")
    found = []
    for group in dynamic:
        condition = filter_of(group)
        if condition is None:
            continue
        condition = expand(condition, group.environment_id, frozenset({group.id}))
        if User.objects.filter(condition_of(condition), pk=user.pk).exists():
            found.append(group)
    return found


def _containers(groups: list[Group]) -> list[Group]:
    """Return the groups that contain `groups`, at any depth."""
    found: dict[UUID, Group] = {}
    inner = {group.id for group in groups}
    while inner:
        nestings = GroupNesting.objects.filter(member_id__in=inner).select_related("container")
        outer = {nesting.container_id: nesting.container for nesting in nestings}
        inner = set(outer) - set(found)
        found |= outer
    return list(found.values())
