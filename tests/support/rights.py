"""Roles for tests: giving a member rights of their own, and the form of a role."""

import json
from typing import Any

from console.models import Membership, Operator, Role
from console.rights.roles import Rights


def give(operator: Operator, rights: Rights, *, organization: str = "acme") -> Role:
    """Give the member a role of the organization's own, with these rights."""
    membership = Membership.objects.select_related("organization").get(
        operator=operator, organization__slug=organization
    )
    role, _is_new = Role.objects.update_or_create(
        organization=membership.organization,
        key="of-the-test",
        defaults={"name": "Of the test", "base": membership.role, "rights": rights.stored()},
    )
    membership.custom_role = role
    membership.save(update_fields=["custom_role"])
    return role


def rights_form(rights: Rights, *, seen: Rights | None = None) -> dict[str, Any]:
    """Return the data that a role's form sends for these rights."""
    return {
        **{f"may.{key}": "on" for key in rights.actions},
        **{f"demands.{key}": sorted(demands) for key, demands in rights.actions.items()},
        "which_fields": "all" if rights.fields is None else "these",
        "fields": sorted(rights.fields or ()),
        "pages": sorted(rights.pages),
        "seen": json.dumps(seen.stored()) if seen else "",
    }
