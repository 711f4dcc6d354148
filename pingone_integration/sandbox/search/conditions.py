"""The comparisons of a user filter as database conditions.

Each comparison has two forms: an index range that a query can walk, and a plain test of a row, which cannot make
SQLite choose another index.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    CharField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
)
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import (
    Contains,
    EndsWith,
    Exact,
    GreaterThanOrEqual,
    IContains,
    IExact,
    IStartsWith,
    LessThan,
)

from pingone_integration.sandbox.filters import Comparison, Supported, uuid_of
from pingone_integration.sandbox.models import GroupMembership, SchemaAttribute

EQ, EQ_SW = frozenset({"eq"}), frozenset({"eq", "sw"})
MEMBERSHIP = "memberOfGroups[id]"

# Source: PingOne API reference, Users > Read All Users, and SCIM filter language (read 2026-11).
BUILT_IN: Supported = {
    **dict.fromkeys(
        """
        accountId address.streetAddress address.locality address.region address.postalCode address.countryCode
        externalId locale mobilePhone name.formatted name.middle name.honorificPrefix name.honorificSuffix nickname
        photo.href preferredLanguage primaryPhone timezone title type username
        """.split(),  # noqa: SIM905 - reads better than twenty quoted names
        EQ_SW,
    ),
    "email": frozenset({"eq", "sw", "ew"}),
    "name.given": frozenset({"eq", "sw", "ew", "co"}),
    "name.family": frozenset({"eq", "sw", "ew", "co"}),
    "enabled": EQ,
    "population.id": EQ,
    MEMBERSHIP: EQ,
}
INDEXED = {
    "username": "username_key",
    "email": "email_key",
    "name.given": "given_key",
    "name.family": "family_key",
    "name.middle": "middle_key",
    "name.formatted": "formatted_key",
    "nickname": "nickname_key",
    "mobilePhone": "mobile_key",
    "primaryPhone": "phone_key",
    "externalId": "external_id_key",
    "accountId": "account_id_key",
}
LAST = "\U0010ffff"  # sorts after every continuation of a prefix
NOTHING = Q(pk__in=[])


def supported(environment_id: UUID) -> Supported:
    """Return the built-in attributes and the environment's custom string attributes."""
    own = SchemaAttribute.objects.filter(
        environment_id=environment_id, schema_type="CUSTOM", type="STRING", enabled=True
    )
    return {**BUILT_IN, **dict.fromkeys(own.values_list("name", flat=True), EQ_SW)}


@dataclass(frozen=True)
class Walk:
    """An index range and its order. The last field makes the order total."""

    range: Q
    order: tuple[str, ...]
    by_environment: bool = True  # whether the index begins with the environment
    entries: QuerySet[Any] | None = None  # the index itself, if it is of another table


def environment_test(environment_id: UUID) -> Q:
    return Q(Exact(_unindexed("environment_id"), environment_id.hex))


class _Unindexed(Func):
    """The same value in a form that no index serves: the walk is already chosen."""

    template = "+%(expressions)s"
    arity = 1


def walk_of(comparison: Comparison) -> Walk | None:
    """Return the index range, or None if no index helps."""
    attribute, operator, value = comparison.attribute, comparison.operator, comparison.value
    if attribute == "population.id":
        return Walk(Q(population_id=uuid_of(value)), ("username_key",), by_environment=False)
    if attribute == "enabled":
        # Not Q(enabled=...): Django writes NOT "enabled", for which SQLite does not use the index.
        return Walk(Q(enabled__in=[_boolean(value)]), ("username_key",))
    if attribute == MEMBERSHIP:
        group_id = uuid_of(value)
        members = GroupMembership.objects.filter(group_id=group_id).values_list("user_id")
        within = Q(memberships__group_id=group_id)
        return Walk(within, ("memberships__user_id",), by_environment=False, entries=members)
    column, key = INDEXED.get(attribute), value.lower()
    if column is None or not key:
        return None
    if operator == "eq":
        return Walk(Q(**{column: key}), ("id",))
    if operator == "sw":
        within = Q(**{f"{column}__gte": key, f"{column}__lt": key + LAST})
        return Walk(within, (column,) if column == "username_key" else (column, "id"))
    return None


def test_of(comparison: Comparison) -> Q:
    """Return the comparison as a test of a row."""
    attribute, operator, value = comparison.attribute, comparison.operator, comparison.value
    if attribute == "population.id":
        return Q(Exact(_unindexed("population_id"), uuid_of(value).hex))
    if attribute == "enabled":
        return Q(Exact(_unindexed("enabled", boolean=True), _boolean(value)))
    if attribute == MEMBERSHIP:
        return Q(Exists(GroupMembership.objects.filter(group_id=uuid_of(value), user=OuterRef("pk"))))
    if attribute in INDEXED:
        return _test_of_key(_unindexed(INDEXED[attribute]), operator, value.lower())
    return _test_of_profile(attribute, operator, value)


def _test_of_key(column: Combinable, operator: str, key: str) -> Q:
    if not key:  # an absent value is stored as empty text and matches nothing
        return NOTHING
    if operator == "eq":
        return Q(Exact(column, key))
    if operator == "sw":
        return Q(GreaterThanOrEqual(column, key)) & Q(LessThan(column, key + LAST))
    return Q(EndsWith(column, key) if operator == "ew" else Contains(column, key))


def _test_of_profile(attribute: str, operator: str, value: str) -> Q:
    text: Combinable = F("profile")
    for part in attribute.split("."):
        text = KeyTextTransform(part, text)
    whole = Q(IExact(text, value) if operator == "eq" else IStartsWith(text, value))
    if attribute in BUILT_IN:
        return whole
    # One of several values, as written inside the stored JSON array.
    element = json.dumps(value) if operator == "eq" else json.dumps(value)[:-1]
    return whole | (Q(IStartsWith(text, "[")) & Q(IContains(text, element)))


def _unindexed(column: str, *, boolean: bool = False) -> Combinable:
    return _Unindexed(F(column), output_field=BooleanField() if boolean else CharField())


def _boolean(value: str) -> bool:
    return value.lower() == "true"
