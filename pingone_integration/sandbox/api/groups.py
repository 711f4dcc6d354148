"""`groups`: reading, changing and nesting groups."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse

from pingone_integration.sandbox import errors, filters
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, created, iso, no_content, permits
from pingone_integration.sandbox.api.users import named_population
from pingone_integration.sandbox.models import Group, GroupNesting, Population
from pingone_integration.sandbox.search.conditions import supported
from pingone_integration.sandbox.search.groups import members_of
from pingone_integration.sandbox.search.plan import make_plan

FILTERS = {
    "id": frozenset({"eq"}),
    "name": frozenset({"eq", "sw"}),
    "externalId": frozenset({"eq"}),
    "population.id": frozenset({"eq"}),
}
LOOKUPS = {"id": "id", "name": "name", "externalId": "external_id", "population.id": "population_id"}
MOST_NESTED = 250


def group_body(call: Call, group: Group) -> dict[str, Any]:
    body: dict[str, Any] = {
        "_links": {"self": {"href": call.url(f"groups/{group.id}")}, "environment": {"href": call.url()}},
        "id": str(group.id),
        "environment": {"id": str(group.environment_id)},
        "name": group.name,
        "displayName": group.name,
        "directMemberCounts": {"users": group.memberships.count()},
        "createdAt": iso(group.created_at),
        "updatedAt": iso(group.updated_at),
    }
    optional = {
        "description": group.description,
        "externalId": group.external_id,
        "customData": group.custom_data,
        "userFilter": group.user_filter,
        "sourceType": group.source_type,
    }
    body |= {name: value for name, value in optional.items() if value}
    if group.population_id:
        body["population"] = {"id": str(group.population_id)}
    if group.source_id:
        body |= {"sourceId": str(group.source_id), "isExternal": True}
    return body


@permits("dir:read:group")
def list_groups(call: Call) -> dict[str, Any]:
    groups = Group.objects.filter(environment=call.environment)
    if call.reach.populations is not None:
        groups = groups.filter(Q(population=None) | Q(population_id__in=call.reach.populations))
    if call.query.get("filter"):
        groups = groups.filter(filters.as_q(filters.parse(call.query["filter"], FILTERS), LOOKUPS))
    return lists.page(call, "groups", groups, lambda group: group_body(call, group), order="name")


@permits("dir:read:group")
def read_group(call: Call, group_id: UUID) -> dict[str, Any]:
    group = find_group(call, group_id)
    body = group_body(call, group)
    if call.wants("include", "totalMemberCounts"):
        plan = make_plan(call.environment.id, members_of(group))
        body["totalMemberCounts"] = {"users": plan.count_all()}
    return body


@permits("dir:create:group")
def create_group(call: Call) -> HttpResponse:
    body = call.body()
    group = Group(environment=call.environment, created_at=call.now)
    if body.get("population") is not None:
        populations = Population.objects.filter(environment=call.environment)
        group.population = named_population(populations, body["population"])
    _require_change(call, group)
    _fill(call, group, body)
    record(call, "GROUP.CREATED", "Group created", group)
    return created(group_body(call, group))


@permits("dir:update:group")
def replace_group(call: Call, group_id: UUID) -> dict[str, Any]:
    group = find_group(call, group_id)
    _require_change(call, group)
    _fill(call, group, call.body())
    record(call, "GROUP.UPDATED", "Group updated", group)
    return group_body(call, group)


@permits("dir:delete:group")
def delete_group(call: Call, group_id: UUID) -> HttpResponse:
    group = find_group(call, group_id)
    _require_change(call, group)
    record(call, "GROUP.DELETED", "Group deleted", group)
    group.delete()
    return no_content()


@permits("dir:read:group")
def list_containers(call: Call, group_id: UUID) -> dict[str, Any]:
    """List the groups that directly contain this group."""
    nestings = find_group(call, group_id).containers.select_related("container").order_by("container__name")
    items = [_nesting_body(call, nesting) for nesting in nestings]
    return lists.envelope(call, "groupMemberships", items)


@permits("dir:read:group")
def read_container(call: Call, group_id: UUID, container_id: UUID) -> dict[str, Any]:
    return _nesting_body(call, _nesting(call, group_id, container_id))


@permits("dir:update:group")
def nest(call: Call, group_id: UUID) -> HttpResponse:
    group = find_group(call, group_id)
    _require_change(call, group)
    container = find_group(call, _sent_id(call))
    if container.id == group.id or _is_inside(container, group.id):
        raise errors.invalid_data(errors.detail("CONSTRAINT_VIOLATION", "id", "A group cannot contain itself."))
    if GroupNesting.objects.filter(member=group, container=container).exists():
        raise errors.already_in_use("id")
    if container.nested.count() >= MOST_NESTED:
        most = errors.detail("CONSTRAINT_VIOLATION", "id", "Too many nested groups.", maximumValue=MOST_NESTED)
        raise errors.invalid_data(most)
    nesting = GroupNesting.objects.create(member=group, container=container)
    record(call, "GROUP.UPDATED", "Group nested", group)
    return created(_nesting_body(call, nesting))


@permits("dir:update:group")
def unnest(call: Call, group_id: UUID, container_id: UUID) -> HttpResponse:
    nesting = _nesting(call, group_id, container_id)
    _require_change(call, nesting.member)
    record(call, "GROUP.UPDATED", "Group no longer nested", nesting.member)
    nesting.delete()
    return no_content()


def find_group(call: Call, group_id: UUID) -> Group:
    """Return a group. Raises NOT_FOUND if its population is outside the caller's reach."""
    group = Group.objects.filter(id=group_id, environment=call.environment).first()
    if group is None or (group.population_id and not call.reach.covers(group.population_id)):
        raise errors.not_found()
    return group


def _require_change(call: Call, group: Group) -> None:
    """Raise 403 if the caller administers only populations, and the group is in none of them."""
    if not call.reach.covers(group.population_id):
        raise errors.not_allowed()


def _fill(call: Call, group: Group, body: dict[str, Any]) -> None:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise errors.required_value("name")
    namesakes = Group.objects.filter(environment=call.environment, name=name).exclude(pk=group.pk)
    if group.population_id:  # names may repeat across populations
        namesakes = namesakes.filter(Q(population=None) | Q(population_id=group.population_id))
    if namesakes.exists():
        raise errors.already_in_use("name")
    user_filter = body.get("userFilter") or ""
    if user_filter:
        filters.parse(str(user_filter), supported(call.environment.id))
        if group.role_assignments.exists():
            raise errors.invalid_value("userFilter", "A group with administrator roles has no filter.")
    custom_data = body.get("customData") or {}
    if not isinstance(custom_data, dict):
        raise errors.invalid_value("customData", "Must be an object.")
    group.name, group.user_filter, group.custom_data = name, user_filter, custom_data
    group.description = str(body.get("description") or "")
    group.external_id = str(body.get("externalId") or "")
    group.updated_at = call.now
    group.save()


def _nesting(call: Call, group_id: UUID, container_id: UUID) -> GroupNesting:
    group = find_group(call, group_id)
    nesting = group.containers.select_related("container", "member").filter(container_id=container_id).first()
    if nesting is None:
        raise errors.not_found()
    return nesting


def _nesting_body(call: Call, nesting: GroupNesting) -> dict[str, Any]:
    return {
        "_links": {
            "self": {"href": call.url(f"groups/{nesting.member_id}/memberOfGroups/{nesting.container_id}")},
            "group": {"href": call.url(f"groups/{nesting.container_id}")},
        },
        "id": str(nesting.container_id),
        "environment": {"id": str(call.environment.id)},
        "name": nesting.container.name,
        "type": "DIRECT",
    }


def _is_inside(group: Group, outer_id: UUID) -> bool:
    """Return whether `group` is inside the other group, at any depth."""
    level = {group.id}
    seen: set[UUID] = set()
    while level:
        containers = GroupNesting.objects.filter(member_id__in=level).values_list("container_id", flat=True)
        level = set(containers) - seen
        seen |= level
    return outer_id in seen


def _sent_id(call: Call) -> UUID:
    try:
        return UUID(str(call.body().get("id")))
    except ValueError:
        raise errors.invalid_value("id", "Must be the id of a group.") from None
