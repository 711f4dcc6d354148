"""The user schema: PingOne's own attributes, and custom attributes of the invented organization."""

from typing import Any
from uuid import UUID, uuid5

from pingone_integration.sandbox.models import SchemaAttribute
from pingone_integration.sandbox.seed.fixtures import MANAGED_ENVIRONMENT_ID

CORE = ("id", "username")
STANDARD = (
    *("accountId", "email", "externalId", "locale", "mobilePhone", "nickname", "preferredLanguage", "primaryPhone"),
    *("timezone", "title", "type"),
)
COMPLEX = {
    "name": ("formatted", "given", "middle", "family", "honorificPrefix", "honorificSuffix"),
    "address": ("streetAddress", "locality", "region", "postalCode", "countryCode"),
    "photo": ("href",),
}
# name -> members other than the name; _attribute() separates the members that are columns of the model
CUSTOM: dict[str, dict[str, Any]] = {
    "costCenter": {
        "displayName": "Cost center",
        "description": "Where the person's time is booked",
        "regexValidation": {
            "pattern": "[A-Z]{2}-[0-9]{4}",
            "requirements": "Two capitals, a hyphen and four digits, such as EU-1234.",
            "valuesPatternShouldMatch": ["EU-1234"],
            "valuesPatternShouldNotMatch": ["eu-1", "1234"],
        },
    },
    "employmentType": {
        "displayName": "Employment",
        "enumeratedValues": [
            {"value": "permanent", "description": "On payroll without an end", "archived": False},
            {"value": "contractor", "archived": False},
            {"value": "intern", "archived": False},
            {"value": "trainee", "description": "Called intern today", "archived": True},
        ],
    },
    "badgeNumber": {"displayName": "Badge number", "unique": True},
    "skills": {"displayName": "Skills", "description": "One entry each", "multi_valued": True},
    "entitlements": {"displayName": "Entitlements", "type": "JSON"},
    "faxNumber": {"displayName": "Fax", "enabled": False},
}
COLUMNS = frozenset({"type", "enabled", "unique", "required", "multi_valued"})


def seed_schema(environment_id: UUID) -> None:
    attributes = [_attribute(environment_id, name, "CORE", {"unique": True, "required": True}) for name in CORE]
    attributes += [_attribute(environment_id, name, "STANDARD", {}) for name in STANDARD]
    for name, parts in COMPLEX.items():
        sub_attributes = [{"name": part, "type": "STRING"} for part in parts]
        members = {"type": "COMPLEX", "subAttributes": sub_attributes}
        attributes.append(_attribute(environment_id, name, "STANDARD", members))
    if environment_id == MANAGED_ENVIRONMENT_ID:
        attributes += [_attribute(environment_id, name, "CUSTOM", members) for name, members in CUSTOM.items()]
    SchemaAttribute.objects.bulk_create(attributes)


def _attribute(environment_id: UUID, name: str, schema_type: str, members: dict[str, Any]) -> SchemaAttribute:
    return SchemaAttribute(
        id=uuid5(environment_id, f"attribute:{name}"),
        environment_id=environment_id,
        name=name,
        schema_type=schema_type,
        definition={key: value for key, value in members.items() if key not in COLUMNS},
        **{key: value for key, value in members.items() if key in COLUMNS},
    )
