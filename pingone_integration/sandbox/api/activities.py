"""`activities`: the audit events of an environment.

Source: PingOne API reference, Audit activities (read 2026-11).
"""

from typing import Any
from uuid import UUID

from django.db.models import Q

from pingone_integration.sandbox import cursors, errors, filters
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, parse_time, permits
from pingone_integration.sandbox.filters import AnyOf, Comparison, Node
from pingone_integration.sandbox.models import Activity

TIMES = frozenset({"recordedAt", "recordedat", "createdAt", "createdat"})
SUBJECTS = {
    "actors.user.id": "actor_user_id",
    "actors.user.name": "actor_user_name",
    "actors.client.id": "actor_client_id",
    "action.type": "action_type",
    "resources.id": "resource_id",
    "resources.type": "resource_type",
    "correlationId": "correlation_id",
}
POPULATION = "resources.population.id"
WITHOUT_POPULATION = frozenset({"resources.id", "correlationId"})
SUPPORTED = {
    **dict.fromkeys(TIMES, frozenset({"gt", "ge", "lt", "le"})),
    **dict.fromkeys([*SUBJECTS, POPULATION], frozenset({"eq"})),
}
LOOKUPS = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}


@permits("audit_reporting:read:activity")
def list_activities(call: Call) -> dict[str, Any]:
    limit = call.limit(default=100, maximum=lists.MAXIMUM)
    return _page(call, call.query.get("filter", ""), limit, call.query.get("cursor", ""))


@permits("audit_reporting:read:activity")
def search_activities(call: Call) -> dict[str, Any]:
    """List activities by POST, which keeps personal data out of URLs."""
    body = call.body()
    limit = body.get("limit", 100)
    if not isinstance(limit, int) or limit < 1:
        raise errors.invalid_value("limit", "Must be a whole number from 1.", rangeMinimumValue=1)
    return _page(call, str(body.get("filter", "")), min(limit, lists.MAXIMUM), str(body.get("offset") or ""))


@permits("audit_reporting:read:activity")
def read_activity(call: Call, activity_id: UUID) -> dict[str, Any]:
    activity = Activity.objects.filter(environment=call.environment, id=activity_id).first()
    if activity is None or not call.reach.covers(activity.population_id):
        raise errors.not_found()
    return dict(activity.document)


def _page(call: Call, text: str, limit: int, cursor: str) -> dict[str, Any]:
    rows = Activity.objects.filter(_condition(text), environment=call.environment)
    if call.reach.populations is not None:
        rows = rows.filter(population_id__in=call.reach.populations)
    listing = f"activities?{text}"
    start = int(cursors.unseal(cursor, call.caller.token_id, listing)) if cursor else 0
    found = list(rows.order_by("-recorded_at", "id")[start : start + limit + 1])
    body = lists.envelope(call, "activities", [dict(row.document) for row in found[:limit]])
    if len(found) > limit:
        cursor = cursors.seal(call.caller.token_id, listing, start + limit)
        body["_links"]["next"] = lists.link_to(call, cursor, filter=text, limit=limit)
    return body


def _condition(text: str) -> Q:
    """Return the condition of a filter: a date range, and at most one subject besides a population."""
    comparisons = list(_flat(filters.parse(text, SUPPORTED)))
    directions = {one.operator[0] for one in comparisons if one.attribute in TIMES}
    if directions != {"g", "l"}:
        raise errors.invalid_filter("The filter must contain a range of dates.", supportedAttributes=sorted(SUPPORTED))
    subjects = {one.attribute for one in comparisons} - TIMES - {POPULATION}
    with_population = any(one.attribute == POPULATION for one in comparisons)
    if len(subjects) > 1 or (with_population and subjects & WITHOUT_POPULATION):
        raise errors.invalid_filter("These conditions cannot be combined.")
    condition = Q()
    for one in comparisons:
        condition &= _test(one)
    return condition


def _flat(node: Node) -> list[Comparison]:
    if isinstance(node, Comparison):
        return [node]
    if isinstance(node, AnyOf):
        raise errors.invalid_filter("or is not supported.")
    return [comparison for part in node.parts for comparison in _flat(part)]


def _test(comparison: Comparison) -> Q:
    if comparison.attribute in TIMES:
        moment = parse_time(comparison.value, "filter")
        return Q(**{f"recorded_at__{LOOKUPS[comparison.operator]}": moment})
    column = "population_id" if comparison.attribute == POPULATION else SUBJECTS[comparison.attribute]
    is_id = comparison.attribute.rpartition(".")[2] == "id"
    return Q(**{column: filters.uuid_of(comparison.value) if is_id else comparison.value})
