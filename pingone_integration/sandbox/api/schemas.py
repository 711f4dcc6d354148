"""`schemas`: the attributes of the environment's users."""

from typing import Any
from uuid import UUID, uuid5

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, iso, permits
from pingone_integration.sandbox.models import SchemaAttribute


def schema_id(environment_id: UUID) -> UUID:
    return uuid5(environment_id, "schema:User")


def _schema_body(call: Call) -> dict[str, Any]:
    own = call.url(f"schemas/{schema_id(call.environment.id)}")
    return {
        "_links": {"self": {"href": own}, "attributes": {"href": f"{own}/attributes"}},
        "id": str(schema_id(call.environment.id)),
        "environment": {"id": str(call.environment.id)},
        "name": "User",
        "description": "Attributes of users",
        "allowsContainsOperator": False,
    }


def _attribute_body(call: Call, attribute: SchemaAttribute) -> dict[str, Any]:
    schema = schema_id(call.environment.id)
    return {
        "_links": {"self": {"href": call.url(f"schemas/{schema}/attributes/{attribute.id}")}},
        "id": str(attribute.id),
        "environment": {"id": str(call.environment.id)},
        "schema": {"id": str(schema)},
        "name": attribute.name,
        "type": attribute.type,
        "schemaType": attribute.schema_type,
        "enabled": attribute.enabled,
        "required": attribute.required,
        "unique": attribute.unique,
        "multiValued": attribute.multi_valued,
        **attribute.definition,
        "createdAt": iso(attribute.created_at),
        "updatedAt": iso(attribute.updated_at),
    }


@permits("dir:read:schema")
def list_schemas(call: Call) -> dict[str, Any]:
    return lists.envelope(call, "schemas", [_schema_body(call)])


@permits("dir:read:schema")
def read_schema(call: Call, schema: UUID) -> dict[str, Any]:
    _require(call, schema)
    return _schema_body(call)


@permits("dir:read:schema")
def list_attributes(call: Call, schema: UUID) -> dict[str, Any]:
    _require(call, schema)
    attributes = call.environment.schema_attributes.order_by("name")
    return lists.envelope(call, "attributes", [_attribute_body(call, attribute) for attribute in attributes])


@permits("dir:read:schema")
def read_attribute(call: Call, schema: UUID, attribute_id: UUID) -> dict[str, Any]:
    _require(call, schema)
    attribute = call.environment.schema_attributes.filter(id=attribute_id).first()
    if attribute is None:
        raise errors.not_found()
    return _attribute_body(call, attribute)


def _require(call: Call, schema: UUID) -> None:
    if schema != schema_id(call.environment.id):
        raise errors.not_found()
