"""The user schema of an environment: its attributes."""

from dataclasses import dataclass
from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import items_of
from pingone_integration.errors import NotFound
from pingone_integration.values import Json, flag, identifier, json_object, text


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One attribute of the environment's user schema."""

    name: str  # the key in the user's JSON
    display_name: str  # never empty
    description: str
    type: str  # STRING, BOOLEAN, JSON or COMPLEX
    is_custom: bool  # False if PingOne defines it
    enabled: bool  # False if PingOne ignores it in writes and omits it in reads
    required: bool
    unique: bool
    multi_valued: bool
    allowed_values: tuple[str, ...]  # without archived values; empty if any is allowed
    pattern: str  # regex that PingOne checks each value with; empty if none
    pattern_in_words: str


def user_attributes(api: PingOneApi) -> tuple[Attribute, ...]:
    """Return the attributes in PingOne's order, by two calls.

    Source: PingOne API reference, Schemas > Read All Schemas, Read All (Schema) Attributes (read 2026-11).
    """
    schema_id = _user_schema(api)
    return items_of(api.get(f"/schemas/{schema_id}/attributes"), "attributes", attribute_of)


def attribute_of(body: Json) -> Attribute | None:
    name = text(body.get("name"))
    if not name:
        return None
    listed = body.get("enumeratedValues")
    values = [value for value in listed if isinstance(value, dict)] if isinstance(listed, list) else []
    validation = json_object(body.get("regexValidation"))
    return Attribute(
        name=name,
        display_name=text(body.get("displayName")) or name,
        description=text(body.get("description")),
        type=text(body.get("type")) or "STRING",
        is_custom=body.get("schemaType") == "CUSTOM",
        enabled=flag(body.get("enabled")) is not False,
        required=body.get("required") is True,
        unique=body.get("unique") is True,
        multi_valued=body.get("multiValued") is True,
        allowed_values=tuple(text(value.get("value")) for value in values if value.get("archived") is not True),
        pattern=text(validation.get("pattern")),
        pattern_in_words=text(validation.get("requirements")),
    )


def _user_schema(api: PingOneApi) -> UUID:
    """Return the schema named User, else the first. In practice, there is only one schema."""
    found = items_of(api.get("/schemas"), "schemas", lambda body: (text(body.get("name")), identifier(body.get("id"))))
    ids = sorted((name != "User", schema_id) for name, schema_id in found if schema_id)
    if not ids:
        raise NotFound("no user schema")
    return ids[0][1]
